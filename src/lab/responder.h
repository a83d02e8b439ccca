// responder.h: what a pod runs when it is given nothing else: answers HTTP on TCP port 8080 and
// any datagram on UDP port 8080, over IPv4 and IPv6, with who it is and whom it saw; the same on
// the ports that its manifest names:
//
//     {"name":"node1-pod1","node":"node1","source":"10.244.2.3","port":40112,"ttl":62}
//
// `ttl` is the hop limit that the packet had left: the first one (SYN) of a connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::lab {

inline constexpr std::uint16_t kResponderPort = 8080;

/// Answers in the calling thread's network namespace; returns only when it cannot go on.
/// `listening` is called once, when whoever asks from then on is answered.
Status respond(const std::string& name, const std::string& node,
               const std::vector<std::uint16_t>& more_ports,
               const std::function<void()>& listening);

}  // namespace weft::lab
