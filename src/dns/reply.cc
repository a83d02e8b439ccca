#include "dns/reply.h"

#include <algorithm>

#include "dns/bytes.h"
#include "dns/message_reader.h"
#include "dns/name.h"

namespace weft::dns {
namespace {

constexpr unsigned kPointerMark = 0xc0;
constexpr std::size_t kTtlAndLength = 6;
constexpr std::size_t kSoaNumbers = 20;

bool is_address(RecordType type) {
  return type == RecordType::kA || type == RecordType::kAaaa;
}

// The data of a record in which names may be pointers (RFC 1035, section 4.1.4; the others of RFC
// 3597, section 4): what stands in front of them, how many they are, what stands behind.
struct NamesInData {
  std::size_t front = 0;
  std::size_t names = 0;
};

NamesInData names_in(RecordType type) {
  switch (type) {
    case RecordType::kNs:
    case RecordType::kCname:
    case RecordType::kPtr:
    case RecordType::kDname:
      return {.front = 0, .names = 1};
    case RecordType::kSoa:
      return {.front = 0, .names = 2};
    case RecordType::kMx:
    case RecordType::kAfsdb:
      return {.front = 2, .names = 1};
    case RecordType::kSrv:
      return {.front = 6, .names = 1};
    default:
      return {};
  }
}

// Whether the names in a record's data are whole and end within it.
bool is_sound(std::string_view message, const RecordView& record) {
  const NamesInData layout = names_in(record.type);
  std::size_t at = record.data_at + layout.front;
  for (std::size_t i = 0; i < layout.names; ++i) {
    ExpandedName name;
    if (at > record.end || !expand_name(message, at, name) || name.end > record.end) return false;
    at = name.end;
  }
  return true;
}

}  // namespace

bool Reply::read(std::string_view message) {
  records_.clear();
  counts_ = {};
  question_size_ = 0;
  bytes_.clear();
  auto reader = MessageReader::open(message);
  if (!reader || !reader->header().is_response || reader->header().opcode != Opcode::kQuery ||
      reader->question().empty())
    return false;
  const Header& header = reader->header();
  rcode_ = header.rcode;
  authoritative_ = header.authoritative;
  authentic_ = header.authentic_data;
  truncated_ = header.truncated;
  question_size_ = reader->question().size();
  if (read_records(message)) return true;
  question_size_ = 0;
  return false;
}

bool Reply::read_records(std::string_view message) {
  auto reader = MessageReader::open(message);
  bool has_opt = false;
  std::size_t end = kHeaderSize + question_size_;
  while (const auto record = reader->next()) {
    if (record->type == RecordType::kOpt) {
      if (has_opt || record->section != Section::kAdditional) return false;
      has_opt = true;
      // Of an extended code only the lower bits are anybody's business here: it is a failure.
      if (record->ttl >> 24U != 0) rcode_ = Rcode::kServerFailure;
    }
    // What stands behind OPT, a signature of the message most likely, would change its place.
    if (has_opt) continue;
    if (!is_sound(message, *record)) return false;
    records_.push_back({.begin = static_cast<std::uint16_t>(record->owner_at),
                        .ttl_at = static_cast<std::uint16_t>(record->ttl_at),
                        .end = static_cast<std::uint16_t>(record->end),
                        .type = record->type,
                        .section = record->section});
    ++counts_[static_cast<unsigned>(record->section)];
    end = record->end;
  }
  // Half a message is what is left of one that was cut.
  if (!reader->is_whole() && !truncated_) return false;
  bytes_ = message.substr(0, end);
  return true;
}

RecordType Reply::question_type() const {
  return static_cast<RecordType>(word_at(question(), question_size_ - 4));
}

std::optional<std::uint32_t> Reply::shortest_ttl() const {
  std::optional<std::uint32_t> shortest;
  for (const Record& record : records_) {
    const std::uint32_t ttl = own_ttl(record);
    if (!shortest || ttl < *shortest) shortest = ttl;
  }
  return shortest;
}

std::optional<std::uint32_t> Reply::denial_ttl() const {
  for (const Record& record : records_)
    if (record.section == Section::kAuthority && record.type == RecordType::kSoa &&
        record.end - record.ttl_at >= static_cast<int>(kTtlAndLength + kSoaNumbers))
      return std::min(own_ttl(record), number_at(bytes_, record.end - 4U));
  return std::nullopt;
}

// RFC 2181, section 8: with the highest bit it is none.
std::uint32_t Reply::own_ttl(const Record& record) const {
  constexpr std::uint32_t kLongestTtl = 0x7fffffff;
  const std::uint32_t ttl = number_at(bytes_, record.ttl_at);
  return ttl > kLongestTtl ? 0 : ttl;
}

std::uint32_t Reply::ttl_of(const Record& record, const Manner& manner) const {
  if (manner.ttl) return *manner.ttl;
  const std::uint32_t ttl = std::min(std::max(own_ttl(record), manner.least_ttl), manner.most_ttl);
  return ttl > manner.age ? ttl - manner.age : 0;
}

void Reply::write(MessageWriter& writer, const Manner& manner) const {
  const bool is_first = writer.size() == kHeaderSize + question_size_;
  if (!is_first) return write_renamed(writer, manner, {}, {});
  if (truncated_) writer.mark_truncated();
  if (write_whole(writer, manner, records_.size())) return;
  // What was not asked for goes first; then records of the answer, and TC tells of it. A denial
  // has nothing but its SOA.
  std::size_t count = counts_[0] == 0 ? records_.size() : counts_[0];
  while (count > 0 && !write_whole(writer, manner, count)) --count;
  if (count < counts_[0]) writer.mark_truncated();
}

bool Reply::write_whole(MessageWriter& writer, const Manner& manner, std::size_t count) const {
  const std::size_t start = kHeaderSize + question_size_;
  const std::size_t end = count == 0 ? start : records_[count - 1].end;
  std::array<std::uint16_t, 3> counts{};
  for (std::size_t i = 0; i < count; ++i) ++counts[static_cast<unsigned>(records_[i].section)];
  if (!writer.sections(std::string_view(bytes_).substr(start, end - start), counts)) return false;
  for (std::size_t i = 0; i < count; ++i)
    put_number(writer.data() + records_[i].ttl_at, ttl_of(records_[i], manner));
  if (manner.turn) rotate(writer.data(), *manner.turn, count);
  return true;
}

// Turns runs of addresses whose owner is the same pointer: they have one size, and no name is
// spelt out in them that another could point to.
void Reply::rotate(char* message, std::uint32_t turn, std::size_t count) const {
  for (std::size_t first = 0; first < count;) {
    std::size_t last = first;
    const auto same = [&](const Record& one, const Record& other) {
      return other.section == Section::kAnswer && one.type == other.type &&
             other.ttl_at - other.begin == 6 && one.ttl_at - one.begin == 6 &&
             std::equal(message + one.begin, message + one.begin + 2, message + other.begin) &&
             one.end - one.begin == other.end - other.begin;
    };
    const bool is_pointed = byte_at(bytes_, records_[first].begin) >= kPointerMark;
    if (is_address(records_[first].type) && is_pointed)
      while (last + 1 < count && same(records_[first], records_[last + 1])) ++last;
    if (const std::size_t run = last - first + 1; run > 1) {
      const std::size_t size = records_[first].end - std::size_t{records_[first].begin};
      char* begin = message + records_[first].begin;
      std::rotate(begin, begin + turn % run * size, begin + run * size);
    }
    first = last + 1;
  }
}

void Reply::write_renamed(MessageWriter& writer, const Manner& manner, std::string_view from,
                          std::string_view to) const {
  if (truncated_) writer.mark_truncated();
  for (const Record& record : records_) {
    if (copy_record(writer, record, ttl_of(record, manner), from, to)) continue;
    if (record.section == Section::kAnswer) writer.mark_truncated();
  }
}

bool Reply::copy_record(MessageWriter& writer, const Record& record, std::uint32_t ttl,
                        std::string_view from, std::string_view to) const {
  ExpandedName owner;
  if (!expand_name(bytes_, record.begin, owner)) return false;
  const bool is_renamed = !from.empty() && equal_in_any_case(owner.wire(), from);
  const NamesInData layout = names_in(record.type);
  std::size_t at = record.ttl_at + kTtlAndLength;
  return writer.record(record.section, is_renamed ? to : owner.wire(), record.type, ttl,
                       [&](RecordData& data) {
                         data.bytes(std::string_view(bytes_).substr(at, layout.front));
                         at += layout.front;
                         for (std::size_t i = 0; i < layout.names; ++i) {
                           ExpandedName name;
                           expand_name(bytes_, at, name);
                           // Names in SRV's data are never compressed (RFC 2782).
                           if (record.type == RecordType::kSrv)
                             data.plain_name(name.wire());
                           else
                             data.name(name.wire());
                           at = name.end;
                         }
                         data.bytes(std::string_view(bytes_).substr(at, record.end - at));
                       });
}

}  // namespace weft::dns
