// mtu.h: how large a packet may be on the way to a target, found out with DF set.
//
// First a packet as large as the sender's route allows. A router that cannot hand it on says so
// (RFC 1191, RFC 8201) and the route learns; then the smaller one is tried. When nobody says
// anything and it does not arrive, it is a black hole, and the largest size that passes is
// searched by halving.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "matrix/icmp_socket.h"

namespace weft::matrix {

struct MtuProbe {
  IpAddress target = {};
  std::size_t index = 0;                         ///< the caller's own
  std::optional<std::uint32_t> passed = {};      ///< the largest size that was answered
  std::optional<std::uint32_t> device_mtu = {};  ///< what the route allows, as last learned
};

/// Measures all of them side by side.
void measure_mtus(std::vector<MtuProbe>& probes, std::map<Family, IcmpSocket>& icmp,
                  std::chrono::milliseconds timeout);

}  // namespace weft::matrix
