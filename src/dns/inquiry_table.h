// inquiry_table.h: the inquiries of one worker, in a table of fixed size: by what is asked, and in
// the order of their age.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/channel.h"
#include "dns/name.h"
#include "dns/upstream_group.h"

namespace weft::dns {

/// What is asked, and of whom it has been asked so far.
struct Inquiry {
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr unsigned kMostAttempts = 7;

  struct Attempt {
    std::uint32_t peer = 0;
    UpstreamPeer::Way way = UpstreamPeer::Way::kUdp;
    Channel* channel = nullptr;  ///< nullptr: it is over
    Time sent = {};
    bool is_counted = false;  ///< as a failure
  };
  enum class Kind : std::uint8_t { kQuestion, kHealthCheck, kLoopCheck };

  UpstreamGroup* group = nullptr;  ///< nullptr: the place is free
  Kind kind = Kind::kQuestion;
  std::uint32_t serial = 0;     ///< grows with every use of the place
  std::uint32_t only_peer = 0;  ///< of checks
  std::uint32_t first_waiter = kNone;
  std::uint64_t tried = 0;  ///< peers, as bits
  Time deadline = {};
  bool prefers_stream = false;
  bool is_shed = false;
  std::uint8_t attempt_count = 0;
  std::array<Attempt, kMostAttempts> attempts = {};
  std::string held = {};        ///< an answer that was cut, should there be no better one
  std::string last_error = {};  ///< for who has to be told

  /// The message, whose id is written for each attempt.
  std::span<char> message() { return std::span(message_).first(message_size_); }
  /// Name, type and class, as asked.
  std::string_view question() const;
  std::string_view key() const { return {key_.data(), key_size_}; }
  bool has_live_attempt() const;

 private:
  friend class InquiryTable;
  std::array<char, kLongestName + 3> key_ = {};
  std::size_t key_size_ = 0;
  std::array<char, 320> message_ = {};
  std::size_t message_size_ = 0;
  std::uint32_t next_in_bucket_ = kNone;  // of a free place: the next free one
  std::uint32_t older_ = kNone;
  std::uint32_t younger_ = kNone;
};

class InquiryTable {
 public:
  explicit InquiryTable(std::uint32_t capacity);

  /// Only questions of clients are found, not checks.
  std::optional<std::uint32_t> find(const UpstreamGroup& group, std::string_view key) const;
  /// Takes a place for a new one, the youngest; nothing when all are taken. The rest of it is
  /// the caller's to fill in.
  std::optional<std::uint32_t> add(UpstreamGroup& group, Inquiry::Kind kind, std::string_view key,
                                   std::string_view message);
  void remove(std::uint32_t place);

  Inquiry& at(std::uint32_t place) { return places_[place]; }
  /// Of an attempt of the inquiry at that place.
  Ticket ticket(std::uint32_t place, unsigned attempt) const;
  /// The inquiry that it was given for; nullptr when that has ended.
  Inquiry* find(Ticket ticket);
  static unsigned attempt_of(Ticket ticket) { return ticket.serial % 8; }

  std::optional<std::uint32_t> oldest() const;
  /// The next one after it.
  std::optional<std::uint32_t> younger_than(std::uint32_t place) const;
  std::uint32_t size() const { return size_; }

 private:
  std::size_t bucket_of(const UpstreamGroup& group, std::string_view key) const;
  void unlink_bucket(std::uint32_t place);

  std::uint32_t capacity_;
  std::deque<Inquiry> places_;  // as many as were ever needed at a time
  std::vector<std::uint32_t> buckets_;
  std::uint32_t first_free_ = Inquiry::kNone;
  std::uint32_t oldest_ = Inquiry::kNone;
  std::uint32_t youngest_ = Inquiry::kNone;
  std::uint32_t size_ = 0;
};

}  // namespace weft::dns
