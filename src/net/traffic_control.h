// traffic_control.h: queueing disciplines and filters (tc) as values, as far as weft limits rates.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "net/link.h"

namespace weft {

/// "1:0" is 0x10000: the number of a discipline or class, major and minor (linux/pkt_sched.h).
enum class TcHandle : std::uint32_t {
  kNone = 0,
  kFirst = 0x1'0000,           ///< 1:
  kFirstClass = 0x1'0001,      ///< 1:1
  kIngress = 0xffff'0000,      ///< ffff: as tc numbers the ingress discipline
  kIngressRoot = 0xffff'fff1,  ///< TC_H_INGRESS: the parent of the ingress discipline
  kRoot = 0xffff'ffff,         ///< TC_H_ROOT
};

/// A token bucket filter (man tc-tbf).
struct TokenBucket {
  std::uint64_t rate = 0;    ///< bytes a second
  std::uint32_t limit = 0;   ///< bytes that may wait
  std::uint32_t buffer = 0;  ///< how long the bucket takes to fill, in ticks of 64 ns
  auto operator<=>(const TokenBucket&) const = default;
};

/// How the Go bandwidth plugin sets a token bucket: packets wait for 25 ms at most. A fill time
/// beyond 32 bits wraps around there, and so here: each side's CHECK compares what the other made.
/// REQUIRES rate != 0.
TokenBucket token_bucket(std::uint64_t bytes_per_second, std::uint32_t burst_bytes);

struct Qdisc {
  LinkIndex link = LinkIndex::kNone;
  TcHandle handle = TcHandle::kNone;
  TcHandle parent = TcHandle::kRoot;
  std::string kind = {};  ///< "tbf", "ingress", "noqueue", ...
  std::optional<TokenBucket> token_bucket = {};
  auto operator<=>(const Qdisc&) const = default;
};

/// A filter that sends every packet out through another device instead (u32 and mirred).
struct RedirectFilter {
  LinkIndex link = LinkIndex::kNone;
  TcHandle parent = TcHandle::kIngress;
  LinkIndex target = LinkIndex::kNone;
  auto operator<=>(const RedirectFilter&) const = default;
};

}  // namespace weft
