// port_owner.h: which program has a port (/proc/net, man 5 proc), so that a complaint can say so.
#pragma once

#include <cstdint>
#include <string>

namespace weft::kernel {

/// "dnsmasq (process 712)" of who is bound to a UDP or listens at a TCP port, at whatever address,
/// in the calling thread's network namespace. Empty when nobody is, or is not to be seen from here.
std::string port_owner(std::uint16_t port);

}  // namespace weft::kernel
