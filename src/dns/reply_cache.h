// reply_cache.h: other servers' answers, kept until their time is over (RFC 2308), or longer when
// nobody can be asked (RFC 8767).
//
// Shared by all workers, in parts with a lock each. Bounded twice, by entries and by bytes; what
// has to go for a new entry is chosen at random, so that nobody can foretell it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/lock_guarded.h"
#include "dns/plugin_options.h"
#include "dns/reply.h"
#include "dns/upstream_group.h"

namespace weft::dns {

class ReplyCache : public AnswerKeeper {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit ReplyCache(CacheOptions options) : options_(std::move(options)) {}

  /// What is known of an entry that has been found.
  struct Found {
    bool stale = false;        ///< its time is over
    bool wants_fresh = false;  ///< it is asked for often and ends soon: `prefetch`
    std::chrono::seconds age{0};
    Reply::Manner manner = {};
  };
  /// Copies an entry into `reply`. Nothing when there is none that may be served.
  std::optional<Found> find(std::string_view key, Time now, Reply& reply);

  /// How an answer is shown that has just come: as it will be while it is kept.
  Reply::Manner fresh_manner(const Reply& reply) const;

  /// Keeps an answer if it is of a kind that is kept. `key` is a QuestionKey's.
  void keep(std::string_view key, const Reply& reply, Time now) override;

  const CacheOptions& options() const { return options_; }
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t denial_hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t stale = 0;
    std::uint64_t prefetches = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t denials = 0;
    std::size_t bytes = 0;
  };
  Counts counts() const;

 private:
  enum class Kind : std::uint8_t { kSuccess, kDenial, kFailure };
  struct Entry {
    Reply reply = {};
    Kind kind = Kind::kSuccess;
    Time kept = {};
    std::chrono::seconds ttl{0};
    std::uint32_t hits = 0;  // without a pause
    Time last_hit = {};
    bool is_refreshing = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;
  struct Part {
    Entries entries;
    std::array<std::size_t, 2> count{};  // of successes, and of the others
    std::size_t bytes = 0;
    std::uint64_t evictions = 0;
    std::uint32_t random = 1;
  };
  static constexpr std::size_t kParts = 16;

  struct Verdict {
    Kind kind;
    std::chrono::seconds ttl;
  };
  // Nothing for what is not to be kept.
  std::optional<Verdict> verdict(const Reply& reply) const;
  std::optional<Verdict> verdict_by_kind(const Reply& reply) const;
  bool is_disabled(const Reply& reply, Kind kind) const;
  bool wants_fresh(Entry& entry, Time now) const;
  Reply::Manner manner_of(Kind kind, std::chrono::seconds age) const;
  void make_room(Part& part, std::size_t group, std::size_t bytes) const;
  static void erase(Part& part, Entries::iterator entry);
  LockGuarded<Part>& part_of(std::string_view key);

  const CacheOptions options_;
  std::array<LockGuarded<Part>, kParts> parts_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> denial_hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stale_{0};
  std::atomic<std::uint64_t> prefetches_{0};
};

}  // namespace weft::dns
