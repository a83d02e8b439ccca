// pick.h: the ways in which an endpoint is chosen in nftables mode, by number. Pure.
//
// A chain can choose out of a fixed number of endpoints only, and keep clients for a fixed time
// only: so there is one chain for each that is in use. Elements of maps name it by a number, and
// one small map leads from numbers to chains. If the elements named the chains themselves, the
// kernel would walk all of them at each change, in search of loops.
#pragma once

#include <cstdint>
#include <string>

#include "service/service_plan.h"

namespace weft::service {

struct Pick {
  std::uint16_t count = 0;             ///< of endpoints, at least one
  bool local = false;                  ///< out of the endpoints for policy Local
  std::uint32_t affinity_seconds = 0;  ///< 0: each connection for itself,
  std::uint32_t shard = 0;             ///< and its endpoints are in this shard (nft_layout.h)

  /// From the low bits: 14 for the count, 1 for local, 17 for the affinity or, beyond the longest
  /// one, for the shard.
  std::uint32_t number() const {
    const std::uint32_t high = shard == 0 ? affinity_seconds : kLongestAffinity + shard;
    return high << 15U | (local ? kLocalSlots : 0U) | count;
  }
  static Pick of_number(std::uint32_t number) {
    const std::uint32_t high = number >> 15U;
    const bool sharded = high > kLongestAffinity;
    return {.count = static_cast<std::uint16_t>(number & kMostEndpoints),
            .local = (number & kLocalSlots) != 0,
            .affinity_seconds = sharded ? 0 : high,
            .shard = sharded ? high - kLongestAffinity : 0};
  }
  /// "pick-5-c", "pick-3-0-local", "stay-10800-5"
  std::string chain() const {
    const std::string size = std::to_string(count);
    return (affinity_seconds == 0 ? "pick-" + size + "-" + shard_name(shard)
                                  : "stay-" + std::to_string(affinity_seconds) + "-" + size) +
           (local ? "-local" : "");
  }
  bool operator==(const Pick&) const = default;

  /// The shards are called by their hexadecimal digits.
  static char shard_name(std::uint32_t shard) { return "0123456789abcdef"[shard % kShards]; }
  static constexpr std::uint32_t kShards = 16;

  /// No set of endpoints is used beyond this.
  static constexpr std::uint32_t kMostEndpoints = 0x3fff;
  /// The endpoints for policy Local have the slots from here on.
  static constexpr std::uint32_t kLocalSlots = 0x4000;
  /// A day, as the API allows.
  static constexpr std::uint32_t kLongestAffinity = 86'400;
};

/// The numbers of what is done without choosing, beyond those of all picks.
enum class Way : std::uint32_t {
  kReject = 0xffff8000,
  kDrop,
  kExternal,          ///< Handling::kExternalCluster
  kExternalLocal,     ///< Handling::kExternalLocal
  kRestrictedReject,  ///< the same three behind ServicePlan::allowed_sources
  kRestrictedExternal,
  kRestrictedExternalLocal,
};

}  // namespace weft::service
