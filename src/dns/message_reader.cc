#include "dns/message_reader.h"

#include "dns/bytes.h"

namespace weft::dns {
namespace {

constexpr std::size_t kRecordFront = 10;  // type, class, TTL, length of the data
constexpr std::size_t kTypeAndClass = 4;

}  // namespace

std::optional<MessageReader> MessageReader::open(std::string_view message) {
  if (message.size() < kHeaderSize) return std::nullopt;
  MessageReader reader(message);
  if (reader.header_.questions == 0) return reader;
  if (reader.header_.questions > 1) return std::nullopt;
  const std::size_t name = plain_name_size(message.substr(kHeaderSize));
  if (name == 0 || message.size() - kHeaderSize < name + kTypeAndClass) return std::nullopt;
  reader.question_ = message.substr(kHeaderSize, name + kTypeAndClass);
  reader.at_ = kHeaderSize + reader.question_.size();
  return reader;
}

std::string_view MessageReader::question_name() const {
  return question_.substr(0, question_.empty() ? 0 : question_.size() - kTypeAndClass);
}

RecordType MessageReader::question_type() const {
  if (question_.empty()) return RecordType::kNone;
  return static_cast<RecordType>(word_at(question_, question_.size() - kTypeAndClass));
}

Section MessageReader::section_of(unsigned index) const {
  if (index < header_.answers) return Section::kAnswer;
  return index < unsigned{header_.answers} + header_.authorities ? Section::kAuthority
                                                                 : Section::kAdditional;
}

std::optional<RecordView> MessageReader::next() {
  if (read_ == total()) return std::nullopt;
  ExpandedName owner;
  if (!expand_name(message_, at_, owner) || message_.size() - owner.end < kRecordFront)
    return std::nullopt;
  RecordView record{.section = section_of(read_),
                    .owner_at = at_,
                    .type = static_cast<RecordType>(word_at(message_, owner.end)),
                    .record_class = word_at(message_, owner.end + 2),
                    .ttl = number_at(message_, owner.end + 4),
                    .ttl_at = owner.end + 4,
                    .data_at = owner.end + kRecordFront};
  constexpr std::uint32_t kLongestTtl = 0x7fffffff;
  if (record.ttl > kLongestTtl && record.type != RecordType::kOpt) record.ttl = 0;
  const std::size_t size = word_at(message_, owner.end + 8);
  if (message_.size() - record.data_at < size) return std::nullopt;
  record.data = message_.substr(record.data_at, size);
  record.end = at_ = record.data_at + size;
  ++read_;
  return record;
}

}  // namespace weft::dns
