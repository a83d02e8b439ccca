#include "cni/ip_forwarding.h"

#include "kernel/sysctl.h"

namespace weft::cni {
namespace {

constexpr RouteProtocol kRouterAdvertisement{9};  // RTPROT_RA

}  // namespace

CniStatus enable_forwarding(kernel::Rtnetlink& host, Family family) {
  const std::string setting =
      family == Family::kIpv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  const auto present = kernel::read_sysctl(setting);
  if (present && *present == "1") return {};
  if (family == Family::kIpv6) {
    ASSIGN_OR_RETURN(const auto routes, host.routes(family));
    for (const auto& route : routes) {
      if (route.protocol != kRouterAdvertisement || route.link() == LinkIndex::kNone) continue;
      ASSIGN_OR_RETURN(const auto uplink, host.link(route.link()));
      if (!uplink) continue;
      const std::string accept = "net/ipv6/conf/" + uplink->name + "/accept_ra";
      if (const auto value = kernel::read_sysctl(accept); value && *value == "1")
        RETURN_IF_ERROR(kernel::write_sysctl(accept, "2"));
    }
  }
  const Status written = kernel::write_sysctl(setting, "1");
  if (!written) return because("failed to enable forwarding", CniError(written.error()));
  return {};
}

}  // namespace weft::cni
