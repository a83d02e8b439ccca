#include "dns/reply_cache.h"

#include <algorithm>

#include "dns/lookup_name.h"

namespace weft::dns {
namespace {

using std::chrono::seconds;

// Of an entry's usual size; one with hundreds of addresses has several KB.
constexpr std::size_t kBytesAnEntry = 1024;
constexpr auto kRelaxed = std::memory_order_relaxed;

std::size_t cost_of(std::string_view key, const Reply& reply) {
  constexpr std::size_t kNode = 64;
  return kNode + key.size() + reply.size();
}

}  // namespace

LockGuarded<ReplyCache::Part>& ReplyCache::part_of(std::string_view key) {
  // The lower bits choose the place within the part.
  return parts_[(Hash{}(key) >> 48U) % kParts];
}

std::optional<ReplyCache::Verdict> ReplyCache::verdict(const Reply& reply) const {
  const auto verdict = verdict_by_kind(reply);
  if (!verdict || verdict->ttl.count() == 0 || is_disabled(reply, verdict->kind))
    return std::nullopt;
  return verdict;
}

std::optional<ReplyCache::Verdict> ReplyCache::verdict_by_kind(const Reply& reply) const {
  if (reply.truncated()) return std::nullopt;
  if (reply.rcode() == Rcode::kServerFailure) {
    const auto kept = std::chrono::duration_cast<seconds>(options_.failures);
    return Verdict{.kind = Kind::kFailure, .ttl = kept};
  }
  const auto clamped = [](std::uint32_t ttl, const CacheOptions::Part& part) {
    return std::min(std::max(seconds(ttl), part.shortest), part.longest);
  };
  if (reply.rcode() == Rcode::kNoError && reply.has_answer())
    return Verdict{.kind = Kind::kSuccess, .ttl = clamped(*reply.shortest_ttl(), options_.success)};
  const bool is_denial = reply.rcode() == Rcode::kNoError || reply.rcode() == Rcode::kNameError;
  const auto ttl = is_denial ? reply.denial_ttl() : std::nullopt;
  if (!ttl) return std::nullopt;
  return Verdict{.kind = Kind::kDenial, .ttl = clamped(*ttl, options_.denial)};
}

bool ReplyCache::is_disabled(const Reply& reply, Kind kind) const {
  const auto& zones = (kind == Kind::kSuccess ? options_.success : options_.denial).disabled;
  return !zones.empty() && is_below(LookupName(reply.question_name()), zones);
}

void ReplyCache::keep(std::string_view key, const Reply& reply, Time now) {
  const auto kept = verdict(reply);
  if (!kept) return;
  part_of(key).with([&](Part& part) {
    const auto known = part.entries.find(key);
    if (known != part.entries.end()) {
      // A failure is no reason to forget what may be served instead.
      const bool is_worse = kept->kind == Kind::kFailure && options_.serve_stale &&
                            known->second.kind != Kind::kFailure;
      known->second.is_refreshing = false;
      if (is_worse) return;
      erase(part, known);
    }
    const std::size_t group = kept->kind == Kind::kSuccess ? 0 : 1;
    make_room(part, group, cost_of(key, reply));
    const auto [place, is_new] = part.entries.emplace(
        std::string(key),
        Entry{.reply = reply, .kind = kept->kind, .kept = now, .ttl = kept->ttl, .last_hit = now});
    ++part.count[group];
    part.bytes += cost_of(key, place->second.reply);
  });
}

void ReplyCache::erase(Part& part, Entries::iterator entry) {
  part.bytes -= cost_of(entry->first, entry->second.reply);
  --part.count[entry->second.kind == Kind::kSuccess ? 0 : 1];
  part.entries.erase(entry);
}

void ReplyCache::make_room(Part& part, std::size_t group, std::size_t bytes) const {
  const unsigned capacity = (group == 0 ? options_.success : options_.denial).capacity;
  const std::size_t most = std::max<std::size_t>(1, capacity / kParts);
  const std::size_t all = (options_.success.capacity + options_.denial.capacity) / kParts + 2;
  // Another one of the same group, from a place at random on.
  const auto evict = [&](bool any_group) {
    part.random = part.random * 1664525U + 1013904223U;
    const std::size_t buckets = part.entries.bucket_count();
    for (std::size_t i = 0; i < buckets; ++i) {
      const std::size_t bucket = (part.random + i) % buckets;
      for (auto entry = part.entries.begin(bucket); entry != part.entries.end(bucket); ++entry) {
        if (!any_group && (entry->second.kind == Kind::kSuccess ? 0U : 1U) != group) continue;
        ++part.evictions;
        return erase(part, part.entries.find(entry->first));
      }
    }
  };
  while (part.count[group] >= most) evict(false);
  while (part.bytes + bytes > all * kBytesAnEntry && !part.entries.empty()) evict(true);
}

bool ReplyCache::wants_fresh(Entry& entry, Time now) const {
  const CacheOptions::Prefetch& prefetch = options_.prefetch;
  if (prefetch.amount == 0 || entry.kind == Kind::kFailure) return false;
  entry.hits = now - entry.last_hit > prefetch.pause ? 1 : entry.hits + 1;
  entry.last_hit = now;
  const auto left = entry.kept + entry.ttl - now;
  if (entry.hits < prefetch.amount || entry.is_refreshing ||
      left * 100 > entry.ttl * prefetch.percentage)
    return false;
  return entry.is_refreshing = true;
}

Reply::Manner ReplyCache::manner_of(Kind kind, seconds age) const {
  const auto& part = kind == Kind::kSuccess ? options_.success : options_.denial;
  return {.age = options_.keep_ttl ? 0U : static_cast<std::uint32_t>(age.count()),
          .least_ttl = static_cast<std::uint32_t>(part.shortest.count()),
          .most_ttl = static_cast<std::uint32_t>(part.longest.count())};
}

Reply::Manner ReplyCache::fresh_manner(const Reply& reply) const {
  const auto kept = verdict(reply);
  return kept ? manner_of(kept->kind, seconds(0)) : Reply::Manner{};
}

std::optional<ReplyCache::Found> ReplyCache::find(std::string_view key, Time now, Reply& reply) {
  bool is_denial = false;
  const auto found = part_of(key).with([&](Part& part) -> std::optional<Found> {
    const auto place = part.entries.find(key);
    if (place == part.entries.end()) return std::nullopt;
    Entry& entry = place->second;
    const auto end = entry.kept + entry.ttl;
    const bool stale = now >= end;
    const bool may_be_stale =
        options_.serve_stale && entry.kind != Kind::kFailure && now < end + *options_.serve_stale;
    if (stale && !may_be_stale) {
      erase(part, place);
      return std::nullopt;
    }
    is_denial = entry.kind != Kind::kSuccess;
    reply = entry.reply;
    const auto age = std::chrono::duration_cast<seconds>(now - entry.kept);
    if (stale) return Found{.stale = true, .age = age, .manner = {.ttl = 0}};
    return Found{
        .wants_fresh = wants_fresh(entry, now), .age = age, .manner = manner_of(entry.kind, age)};
  });
  auto& counter = !found ? misses_ : found->stale ? stale_ : is_denial ? denial_hits_ : hits_;
  counter.fetch_add(1, kRelaxed);
  if (found && found->wants_fresh) prefetches_.fetch_add(1, kRelaxed);
  return found;
}

ReplyCache::Counts ReplyCache::counts() const {
  Counts counts{.hits = hits_.load(kRelaxed),
                .denial_hits = denial_hits_.load(kRelaxed),
                .misses = misses_.load(kRelaxed),
                .stale = stale_.load(kRelaxed),
                .prefetches = prefetches_.load(kRelaxed)};
  for (const auto& part : parts_)
    part.with([&](const Part& each) {
      counts.entries += each.count[0];
      counts.denials += each.count[1];
      counts.bytes += each.bytes;
      counts.evictions += each.evictions;
    });
  return counts;
}

}  // namespace weft::dns
