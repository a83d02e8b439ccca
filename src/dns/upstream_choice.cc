#include "dns/upstream_choice.h"

#include <array>

namespace weft::dns {
namespace {

// The lower the sooner; nothing for one that must not be asked.
std::optional<unsigned> rank_of(const UpstreamState& upstream, bool failfast) {
  if (upstream.looping || (upstream.down && failfast)) return std::nullopt;
  return (upstream.down ? 2U : 0U) + (upstream.tried ? 1U : 0U);
}

// More than a Corefile can name, see forward_options.cc.
constexpr std::size_t kMost = 64;

}  // namespace

std::optional<std::size_t> choose_upstream(const std::vector<UpstreamState>& upstreams,
                                           const UpstreamChoice& choice) {
  std::array<std::size_t, kMost> best;
  std::size_t count = 0;
  std::optional<unsigned> lowest;
  for (std::size_t i = 0; i < upstreams.size() && i < kMost; ++i) {
    const auto rank = rank_of(upstreams[i], choice.failfast);
    if (!rank || (lowest && *rank > *lowest)) continue;
    if (!lowest || *rank < *lowest) count = 0;
    lowest = rank;
    best[count++] = i;
  }
  if (count == 0) return std::nullopt;
  switch (choice.policy) {
    case ForwardOptions::Policy::kSequential:
      return best[0];
    case ForwardOptions::Policy::kRoundRobin:
      return best[choice.turn % count];
    case ForwardOptions::Policy::kRandom:
      break;
  }
  const std::size_t one = best[(choice.random & 0xffffU) % count];
  const std::size_t other = best[(choice.random >> 16U) % count];
  return upstreams[other].cost < upstreams[one].cost ? other : one;
}

}  // namespace weft::dns
