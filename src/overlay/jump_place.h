// jump_place.h: where in a chain of iptables a jump of ours is reached and wins. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "net/iptables.h"

namespace weft::overlay {

/// How many of the rules of a built-in chain may stand before our jump. As many as can be, since
/// flannel puts it last and others count on that (kube-proxy's rules come first), but none that
/// would keep the pods' packets from it:
///   - a rule without a match that drops or rejects, also behind jumps without a match
///     (firewalld's REJECT, ufw's chains);
///   - a jump to Docker's own chains where they drop, as since Docker 28 "! -i docker0 -o
///     docker0 -j DROP". DOCKER-USER is the operator's, and DOCKER-ISOLATION drops only between
///     Docker's own bridges: both keep their place.
/// A drop with other matches is somebody's policy, and comes first. `rules` are the built-in
/// chain's without our own jumps, `table` holds the chains that they lead to.
std::size_t place_jump(const std::vector<std::string>& rules, const IptablesTable& table);

}  // namespace weft::overlay
