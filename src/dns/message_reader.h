// message_reader.h: goes through any message, record by record, where it lies.
//
// For what other servers send: the data of a record is left as it is, so a type that did not exist
// when this was written passes through (RFC 3597). Only lengths and owners are checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dns/header.h"
#include "dns/message_writer.h"
#include "dns/name.h"
#include "dns/protocol.h"

namespace weft::dns {

/// One record, as places in the message.
struct RecordView {
  Section section = Section::kAnswer;
  std::size_t owner_at = 0;
  RecordType type = RecordType::kNone;
  std::uint16_t record_class = 0;  ///< of OPT its sender's UDP size
  std::uint32_t ttl = 0;           ///< one above 2^31 - 1 reads as 0 (RFC 2181, section 8)
  std::size_t ttl_at = 0;
  std::size_t data_at = 0;
  std::string_view data = {};
  std::size_t end = 0;  ///< where the next record begins
};

class MessageReader {
 public:
  /// Reads the header and the question; nothing where there is no header, more than one question,
  /// or half of one. `message` must outlive the reader.
  static std::optional<MessageReader> open(std::string_view message);

  std::string_view message() const { return message_; }
  const Header& header() const { return header_; }
  /// The question with its type and class; empty when there is none.
  std::string_view question() const { return question_; }
  std::string_view question_name() const;
  RecordType question_type() const;

  /// The next record; nothing at the end, and at the first that is not whole.
  std::optional<RecordView> next();
  /// After the last next(): whether everything was read, with nothing left over.
  bool is_whole() const { return read_ == total() && at_ == message_.size(); }

 private:
  explicit MessageReader(std::string_view message)
      : message_(message), header_(Header::read(message)) {}
  unsigned total() const {
    return unsigned{header_.answers} + header_.authorities + header_.additionals;
  }
  Section section_of(unsigned index) const;

  std::string_view message_;
  Header header_;
  std::string_view question_;
  std::size_t at_ = kHeaderSize;
  unsigned read_ = 0;
};

/// A record as a line of a zone file: "a.example. 30 IN A 10.0.0.1". Data of a type that is not
/// known here, or that does not fit its type, is printed as RFC 3597 says: "\# 2 0a0b".
std::string to_text(std::string_view message, const RecordView& record);

}  // namespace weft::dns
