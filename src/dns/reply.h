// reply.h: another server's answer, ready to be handed on to any client that asks the same.
//
// Records are kept as they came, with the places of their TTLs. Where a client's answer has the
// same question and nothing else in front, they are copied in one piece: pointers count from the
// beginning of the message and stay right. Otherwise (the name was another one, or an alias stands
// in front) they are written anew, one by one.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/message_writer.h"
#include "dns/protocol.h"

namespace weft::dns {

class Reply {
 public:
  struct Record {
    std::uint16_t begin;  ///< in the message
    std::uint16_t ttl_at;
    std::uint16_t end;
    RecordType type;
    Section section;
  };

  /// How it is written.
  struct Manner {
    std::uint32_t age = 0;  ///< seconds that it has been kept, to be taken off the TTLs
    /// What the TTLs are raised to and cut at, before `age` is taken off.
    std::uint32_t least_ttl = 0;
    std::uint32_t most_ttl = std::numeric_limits<std::uint32_t>::max();
    std::optional<std::uint32_t> ttl = {};   ///< of all records, instead
    std::optional<std::uint32_t> turn = {};  ///< addresses begin with another one for each
  };

  /// Takes a message in, without its OPT record and what stands behind that. False, and nothing
  /// is held, when it is no whole response to one question.
  bool read(std::string_view message);

  /// Appends the answer to what the writer has, as far as it fits. Of an answer that is cut the TC
  /// bit is set (RFC 2181, section 9).
  void write(MessageWriter& writer, const Manner& manner) const;
  /// The same for a question about another name: records of `from` become the question's.
  void write_renamed(MessageWriter& writer, const Manner& manner, std::string_view from,
                     std::string_view to) const;

  /// With type and class, in the case as it came.
  std::string_view question() const {
    return std::string_view(bytes_).substr(kHeaderSize, question_size_);
  }
  std::string_view question_name() const { return question().substr(0, question_size_ - 4); }
  RecordType question_type() const;
  Rcode rcode() const { return rcode_; }
  bool authoritative() const { return authoritative_; }
  bool authentic() const { return authentic_; }
  bool truncated() const { return truncated_; }
  const std::vector<Record>& records() const { return records_; }
  /// The shortest TTL of all records; nothing without any.
  std::optional<std::uint32_t> shortest_ttl() const;
  /// How long a denial may be kept: the lesser of the SOA's TTL and its last number (RFC 2308,
  /// section 5). Nothing without a SOA.
  std::optional<std::uint32_t> denial_ttl() const;
  bool has_answer() const { return counts_[0] != 0; }
  /// Bytes of memory.
  std::size_t size() const {
    return sizeof *this + bytes_.capacity() + records_.capacity() * sizeof(Record);
  }

 private:
  bool read_records(std::string_view message);
  bool write_whole(MessageWriter& writer, const Manner& manner, std::size_t count) const;
  void rotate(char* message, std::uint32_t turn, std::size_t count) const;
  std::uint32_t own_ttl(const Record& record) const;
  std::uint32_t ttl_of(const Record& record, const Manner& manner) const;
  bool copy_record(MessageWriter& writer, const Record& record, std::uint32_t ttl,
                   std::string_view from, std::string_view to) const;

  std::string bytes_;  // header, question and records
  std::size_t question_size_ = 0;
  std::vector<Record> records_;
  std::array<std::uint16_t, 3> counts_{};
  Rcode rcode_ = Rcode::kServerFailure;
  bool authoritative_ = false;
  bool authentic_ = false;
  bool truncated_ = false;
};

}  // namespace weft::dns
