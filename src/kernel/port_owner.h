// port_owner.h: which program has a port (/proc/net, man 5 proc), so that a complaint can say so.
#pragma once

#include <cstdint>
#include <string>

#include "net/address.h"

namespace weft::kernel {

/// "dnsmasq (process 712)" of who is bound to a UDP or listens at a TCP port, at whatever address,
/// in the calling thread's network namespace. Empty when nobody is, or is not to be seen from here.
std::string port_owner(std::uint16_t port);

/// Whether a UDP socket is bound to the port at that address, or a TCP one listens there, be it at
/// all addresses; also where it would share the port (SO_REUSEPORT).
bool is_bound(const IpAddress& address, std::uint16_t port);

}  // namespace weft::kernel
