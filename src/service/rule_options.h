// rule_options.h: what the operator and the node decide about the rules of one address family, in
// whichever mode of the proxy.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/address.h"
#include "service/local_detector.h"

namespace weft::service {

struct RuleOptions {
  Family family = Family::kIpv4;
  std::uint32_t masquerade_mark = 0x4000;  ///< one bit
  bool masquerade_all = false;
  LocalDetector detector = {};
  /// Addresses in them that no service has are dropped, where the mode does that. At most a few, of
  /// the family.
  std::vector<Prefix> service_ranges = {};
  /// Where ports of the node are served; nothing: at all of its addresses but loopback.
  std::optional<std::vector<IpAddress>> node_port_addresses = {};
  bool operator==(const RuleOptions&) const = default;
};

}  // namespace weft::service
