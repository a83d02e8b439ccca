#include "dns/text_record.h"

#include <limits>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "dns/bytes.h"
#include "net/address.h"

namespace weft::dns {
namespace {

constexpr std::size_t kLongestText = 255;

struct Word {
  std::string text = {};
  bool is_quoted = false;
};

bool is_blank(char c) {
  // A SOA's numbers may stand in brackets, which join lines: here there is one.
  return c == ' ' || c == '\t' || c == '(' || c == ')';
}

// Nothing when a quote has no end.
std::optional<std::vector<Word>> words_of(std::string_view line) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    Word word{.is_quoted = line[at] == '"'};
    if (word.is_quoted) ++at;
    const auto ends = [&] {
      return at == line.size() || (word.is_quoted ? line[at] == '"' : is_blank(line[at]));
    };
    while (!ends()) {
      if (word.is_quoted && line[at] == '\\' && at + 1 < line.size()) ++at;
      word.text += line[at++];
    }
    if (word.is_quoted && at++ == line.size()) return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

// Writes the data of one record; once something makes no sense, nothing does.
class DataBuilder {
 public:
  explicit DataBuilder(std::vector<Word> words) : words_(std::move(words)) {}

  void name() {
    const auto name = Name::parse(next());
    if (!name) return fail();
    data_ += name->wire();
  }
  void address(Family family) {
    const auto address = IpAddress::parse(next());
    if (!address || address->family() != family) return fail();
    data_ += address->bytes();
  }
  void number(std::size_t bytes) {
    const auto number = parse_number(next());
    constexpr std::uint64_t kMost16 = 0xffff;
    constexpr std::uint64_t kMost32 = 0xffffffff;
    if (!number || *number > (bytes == 2 ? kMost16 : kMost32)) return fail();
    std::string room(bytes, '\0');
    if (bytes == 2)
      put_word(room.data(), static_cast<std::uint16_t>(*number));
    else
      put_number(room.data(), static_cast<std::uint32_t>(*number));
    data_ += room;
  }
  void text() {
    const std::string text = next();
    if (text.size() > kLongestText) return fail();
    data_ += static_cast<char>(text.size());
    data_ += text;
  }
  bool at_end() const { return at_ == words_.size(); }
  // Nothing when something was missing, too much, or made no sense.
  std::optional<std::string> take() {
    if (broken_ || !at_end()) return std::nullopt;
    return std::move(data_);
  }

 private:
  std::string next() {
    if (at_end()) {
      fail();
      return {};
    }
    return words_[at_++].text;
  }
  void fail() { broken_ = true; }

  std::vector<Word> words_;
  std::size_t at_ = 0;
  std::string data_;
  bool broken_ = false;
};

// False for types that are not read.
bool build(RecordType type, DataBuilder& data) {
  switch (type) {
    case RecordType::kA:
      data.address(Family::kIpv4);
      return true;
    case RecordType::kAaaa:
      data.address(Family::kIpv6);
      return true;
    case RecordType::kCname:
    case RecordType::kDname:
    case RecordType::kNs:
    case RecordType::kPtr:
      data.name();
      return true;
    case RecordType::kMx:
      data.number(2);
      data.name();
      return true;
    case RecordType::kSrv:
      for (int i = 0; i < 3; ++i) data.number(2);
      data.name();
      return true;
    case RecordType::kSoa:
      data.name();
      data.name();
      for (int i = 0; i < 5; ++i) data.number(4);
      return true;
    case RecordType::kHinfo:
      data.text();
      data.text();
      return true;
    case RecordType::kTxt:
      do data.text();
      while (!data.at_end());
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<TextRecord> TextRecord::parse(std::string_view line) {
  const auto words = words_of(line);
  if (!words || words->size() < 2) return fail(shown(line) + " is no record");
  TextRecord record;
  const auto owner = Name::parse(words->front().text);
  if (!owner) return fail(shown(words->front().text) + " is no name");
  record.owner = *owner;
  std::size_t at = 1;
  const auto ttl = parse_number((*words)[at].text);
  if (ttl && *ttl <= std::numeric_limits<std::uint32_t>::max()) {
    record.ttl = static_cast<std::uint32_t>(*ttl);
    ++at;
  }
  if (at < words->size() && lower((*words)[at].text) == "in") ++at;
  const auto type = at < words->size() ? parse_record_type((*words)[at].text) : std::nullopt;
  if (!type) return fail(shown(line) + " has no record type behind its name, TTL and class");
  record.type = *type;
  DataBuilder builder({words->begin() + static_cast<std::ptrdiff_t>(at) + 1, words->end()});
  if (!build(record.type, builder))
    return fail(shown(line) + ": records of type " + to_string(record.type) + " are not read");
  auto data = builder.take();
  if (!data) return fail(shown(line) + ": the data is not that of type " + to_string(record.type));
  record.data = *std::move(data);
  return record;
}

}  // namespace weft::dns
