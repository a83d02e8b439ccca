// Records in the form of a zone file.
#include <optional>
#include <string>

#include "dns/bytes.h"
#include "dns/message_reader.h"
#include "net/address.h"

namespace weft::dns {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x7f) {
      result += '\\';
      for (const unsigned unit : {100U, 10U, 1U})
        result += static_cast<char>('0' + byte / unit % 10);
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string unknown_data(std::string_view data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\# " + std::to_string(data.size());
  if (!data.empty()) text += ' ';
  for (const char c : data) {
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 0xfU];
  }
  return text;
}

// Reads the data of one record from front to back. Once something does not fit, nothing does.
class DataReader {
 public:
  DataReader(std::string_view message, const RecordView& record)
      : message_(message.substr(0, record.end)), at_(record.data_at), end_(record.end) {}

  std::string word() { return take(2) ? std::to_string(word_at(message_, at_ - 2)) : ""; }
  std::string number() { return take(4) ? std::to_string(number_at(message_, at_ - 4)) : ""; }
  std::string name() {
    ExpandedName expanded;
    if (broken_ || !expand_name(message_, at_, expanded) || expanded.end > end_) return fail();
    at_ = expanded.end;
    const auto name = Name::from_wire(expanded.wire());
    return name ? name->to_string() : fail();
  }
  std::string text() {
    if (!take(1)) return "";
    const std::size_t size = byte_at(message_, at_ - 1);
    return take(size) ? quoted(message_.substr(at_ - size, size)) : "";
  }
  bool at_end() const { return at_ == end_; }
  bool is_whole() const { return !broken_ && at_end(); }

 private:
  bool take(std::size_t size) {
    if (end_ - at_ < size) broken_ = true;
    if (!broken_) at_ += size;
    return !broken_;
  }
  std::string fail() {
    broken_ = true;
    return "";
  }

  std::string_view message_;
  std::size_t at_;
  std::size_t end_;
  bool broken_ = false;
};

std::string texts(DataReader& data) {
  std::string result = data.text();
  while (!data.at_end() && !result.empty()) {
    const std::string next = data.text();
    if (next.empty()) break;
    result += " " + next;
  }
  return result;
}

std::string soa(DataReader& data) {
  std::string result = data.name();
  result += " " + data.name();
  for (int i = 0; i < 5; ++i) result += " " + data.number();
  return result;
}

std::string srv(DataReader& data) {
  std::string result = data.word();
  for (int i = 0; i < 2; ++i) result += " " + data.word();
  return result + " " + data.name();
}

std::string mx(DataReader& data) {
  const std::string preference = data.word();
  return preference + " " + data.name();
}

std::optional<std::string> known_data(std::string_view message, const RecordView& record) {
  DataReader data(message, record);
  std::string text;
  switch (record.type) {
    case RecordType::kA:
    case RecordType::kAaaa: {
      const auto address = IpAddress::from_bytes(record.data);
      if (!address || address->is_v4() != (record.type == RecordType::kA)) return std::nullopt;
      return address->to_string();
    }
    case RecordType::kNs:
    case RecordType::kCname:
    case RecordType::kPtr:
      text = data.name();
      break;
    case RecordType::kSoa:
      text = soa(data);
      break;
    case RecordType::kMx:
      text = mx(data);
      break;
    case RecordType::kSrv:
      text = srv(data);
      break;
    case RecordType::kTxt:
    case RecordType::kHinfo:
      text = texts(data);
      break;
    default:
      return std::nullopt;
  }
  return data.is_whole() ? std::optional(text) : std::nullopt;
}

}  // namespace

std::string to_text(std::string_view message, const RecordView& record) {
  ExpandedName owner;
  std::string text = "?";
  if (expand_name(message, record.owner_at, owner))
    if (const auto name = Name::from_wire(owner.wire())) text = name->to_string();
  text += " " + std::to_string(record.ttl);
  const auto is_in = record.record_class == static_cast<std::uint16_t>(RecordClass::kIn);
  text += is_in ? " IN " : " CLASS" + std::to_string(record.record_class) + " ";
  text += to_string(record.type) + " ";
  return text + known_data(message, record).value_or(unknown_data(record.data));
}

}  // namespace weft::dns
