#include "service/loopback_ports.h"

#include <utility>

namespace weft::service {
namespace {

IpAddress loopback(Family family) {
  if (family == Family::kIpv4) return IpAddress::v4(0x7f000001);
  return IpAddress::any(family).plus(1).value();
}

}  // namespace

Result<LoopbackPorts> LoopbackPorts::start(const std::vector<Family>& families,
                                           const RelayOptions& options) {
  ASSIGN_OR_RETURN(auto relay, Relay::start(options));
  LoopbackPorts ports(std::move(relay));
  for (const Family family : families)
    ports.portals_.emplace(
        family, std::make_unique<Portals>(*ports.relay_,
                                          Portals::Choice{.node_ports_at = loopback(family)}));
  return ports;
}

void LoopbackPorts::put(const std::vector<PlannedService>& services) {
  for (const PlannedService& service : services)
    for (const auto& [family, portals] : portals_) portals->put(service);
}

}  // namespace weft::service
