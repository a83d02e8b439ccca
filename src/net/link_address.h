// link_address.h: an address on a device, with what the kernel says about it (ifaddrmsg).
#pragma once

#include <compare>
#include <cstdint>

#include "net/address.h"
#include "net/link.h"
#include "net/route.h"

namespace weft {

struct LinkAddressKey {
  LinkIndex link = LinkIndex::kNone;
  InterfaceAddress address = {};
  auto operator<=>(const LinkAddressKey&) const = default;
};

struct LinkAddress {
  LinkAddressKey key = {};
  RouteScope scope = RouteScope::kUniverse;
  bool permanent = true;     ///< IFA_F_PERMANENT: no lifetime (not from DHCP or an RA)
  bool temporary = false;    ///< IFA_F_TEMPORARY: an IPv6 privacy address
  bool deprecated = false;   ///< IFA_F_DEPRECATED: not for new connections
  bool tentative = false;    ///< IFA_F_TENTATIVE: duplicate address detection is under way
  bool dad_failed = false;   ///< IFA_F_DADFAILED
  bool prefix_route = true;  ///< no IFA_F_NOPREFIXROUTE: the kernel makes a route to its network
  auto operator<=>(const LinkAddress&) const = default;
};

}  // namespace weft
