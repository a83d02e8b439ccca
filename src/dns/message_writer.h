// message_writer.h: writes a message into room that somebody else owns.
//
// Nothing is allocated. A record that does not fit leaves no trace: the caller goes on with the
// next, or ends with the TC bit. Room for the OPT record is set aside from the start, so that the
// last thing written always fits.
//
//     MessageWriter writer(room, limit);
//     writer.begin(query);
//     writer.record(Section::kAnswer, owner, RecordType::kA, ttl, [&](RecordData& data) {
//       data.bytes(address.bytes());
//     });
//     const std::size_t size = writer.finish(header);
//
// Owners, and the names in the data of the types of RFC 1035, are compressed against each other
// and the question (section 4.1.4); a name within SRV's data never is (RFC 2782, RFC 3597).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dns/header.h"
#include "dns/protocol.h"
#include "dns/query.h"

namespace weft::dns {

enum class Section : std::uint8_t { kAnswer, kAuthority, kAdditional };

/// What a server says of itself in the OPT record of its answers, to who asks for it.
struct ServerEdns {
  std::string_view server_id = {};                     ///< NSID
  std::optional<std::uint16_t> idle_deciseconds = {};  ///< keepalive, over TCP
};

class MessageWriter;

/// The data of the record that is being written.
class RecordData {
 public:
  void byte(std::uint8_t value);
  void word(std::uint16_t value);
  void number(std::uint32_t value);
  void bytes(std::string_view value);
  /// A text behind its length; of a longer one than 255 bytes the front.
  void text(std::string_view value);
  /// A name, in the form of its wire, to be compressed.
  void name(std::string_view wire);
  /// A name that stays whole.
  void plain_name(std::string_view wire) { bytes(wire); }

 private:
  friend class MessageWriter;
  explicit RecordData(MessageWriter& writer) : writer_(writer) {}
  MessageWriter& writer_;
};

class MessageWriter {
 public:
  /// A message of at most `limit` bytes in `room`. REQUIRES at least kPlainUdpSize of both.
  MessageWriter(std::span<char> room, std::size_t limit)
      : room_(room), limit_(limit < room.size() ? limit : room.size()) {}

  /// Repeats the question of a query and sets room for an OPT record aside where it had one.
  void begin(const Query& query, const ServerEdns& server = {});
  /// Asks a question of our own, with an OPT record that offers `udp_size`, or none where it is 0.
  /// `dnssec_ok` is said in that record.
  void ask(std::string_view name, RecordType type, std::uint16_t udp_size, bool dnssec_ok = false);

  /// Writes one record of class IN. `fill(RecordData&)` gives its data. False when there was no
  /// room for it.
  template <class Fill>
  bool record(Section section, std::string_view owner, RecordType type, std::uint32_t ttl,
              Fill fill) {
    const Mark mark = open_record(owner, type, ttl);
    RecordData data(*this);
    fill(data);
    return close_record(section, mark);
  }

  /// Appends `count` records as they are. Names in them may point to the question and nothing
  /// else. All or none; false when they do not fit.
  bool raw(Section section, std::string_view records, std::size_t count);
  /// Appends what another message has behind the same question, whose pointers stay right. Nothing
  /// but the question may have been written. False when it does not fit.
  bool sections(std::string_view records, const std::array<std::uint16_t, 3>& counts);
  /// How many bytes raw() would take now.
  std::size_t left() const { return limit_ - reserved_ - size_; }
  bool is_empty(Section section) const { return counts_[static_cast<unsigned>(section)] == 0; }
  std::size_t size() const { return size_; }
  /// Lowers the limit. REQUIRES at least kPlainUdpSize, and that nothing but the question stands.
  void limit_to(std::size_t limit) { limit_ = std::min(limit_, limit); }
  /// Something that was asked for has found no room (RFC 2181, section 9).
  void mark_truncated() { truncated_ = true; }
  bool is_truncated() const { return truncated_; }
  char* data() { return room_.data(); }

  /// Says why the answer is what it is, where the query had EDNS and as far as there is room.
  /// The text is for a person.
  void explain(ExtendedError error, std::string_view text);

  /// What explain() has said, and what has found room.
  std::string_view error_text() const { return error_text_; }
  std::optional<ExtendedError> error() const { return error_; }

  /// Whether the query wants to hear where the answer comes from.
  bool wants_source() const { return wants_source_; }
  /// Says so, where the query wants it and as far as there is room. The first word counts: who
  /// knows best speaks before who knows less.
  void tell_source(std::string_view text);
  /// Adds what an answer within this one has come from.
  void add_source(std::string_view text);
  std::string_view source() const { return {source_.data(), source_size_}; }

  /// Forgets all records, to end with the question alone.
  void forget_records();

  /// Writes the OPT record and the header, whose counts and TC bit need not be set, and returns the
  /// size of the message. `header` may have an rcode above 15 if the query had EDNS.
  std::size_t finish(Header header);

 private:
  friend class RecordData;
  struct Mark {
    std::size_t size;
    std::size_t names;
    std::size_t data_length_at;
  };
  static constexpr std::size_t kMostNames = 48;
  static constexpr std::size_t kLongestSource = 96;

  Mark open_record(std::string_view owner, RecordType type, std::uint32_t ttl);
  bool close_record(Section section, const Mark& mark);
  void append(std::string_view bytes);
  void append_word(std::uint16_t value);
  void append_number(std::uint32_t value);
  void append_name(std::string_view wire);
  void remember_names(std::size_t at, std::size_t end);
  std::optional<std::uint16_t> find_name(std::string_view wire) const;
  void append_opt(Rcode rcode);
  std::size_t opt_size() const;

  std::span<char> room_;
  std::size_t limit_;
  std::size_t size_ = kHeaderSize;
  std::size_t reserved_ = 0;  // for the OPT record
  bool overflow_ = false;     // of the record that is being written
  bool truncated_ = false;
  std::uint16_t questions_ = 0;
  std::array<std::uint16_t, 3> counts_{};
  // Where labels begin that later names may point to. Those of the question are noted when the
  // first name is to be compressed: most answers need none of it.
  std::array<std::uint16_t, kMostNames> names_;
  std::size_t name_count_ = 0;
  bool question_noted_ = false;
  bool has_opt_ = false;
  std::uint16_t offered_size_ = kUdpSize;
  bool dnssec_ok_ = false;
  ServerEdns server_ = {};
  std::optional<ExtendedError> error_;
  std::string_view error_text_;
  bool wants_source_ = false;
  std::size_t source_size_ = 0;
  std::array<char, kLongestSource> source_;  // written when it is wanted
};

/// The largest answer that a query which came over UDP may get.
std::size_t udp_limit(const Query& query);

/// What an answer to `query` has in common with every other: its id, RD, CD, RA.
Header reply_header(const Query& query, Rcode rcode);

}  // namespace weft::dns
