// upstream_choice.h: which of a zone's upstreams is asked next. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dns/plugin_options.h"

namespace weft::dns {

/// An upstream as the choice sees it.
struct UpstreamState {
  bool down = false;     ///< it has failed too often, and no health check was answered since
  bool looping = false;  ///< what it is asked comes back to us
  bool tried = false;    ///< for this question already
  double cost = 0;       ///< microseconds, see UpstreamScore::cost()
};

struct UpstreamChoice {
  ForwardOptions::Policy policy = ForwardOptions::Policy::kRandom;
  bool failfast = false;     ///< rather none than one that is down
  std::uint32_t random = 0;  ///< any number
  std::uint32_t turn = 0;    ///< for kRoundRobin: one more each time
};

/// An index. Those that were not tried go before those that were, those that are up before those
/// that are down; one that loops is never taken. Among equals the policy decides: kRandom takes the
/// cheaper of two at random, so that the best gets most and all are measured now and then. Nothing
/// when there is none left.
std::optional<std::size_t> choose_upstream(const std::vector<UpstreamState>& upstreams,
                                           const UpstreamChoice& choice);

}  // namespace weft::dns
