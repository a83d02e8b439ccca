#include "overlay/stale_devices.h"

#include <algorithm>
#include <variant>

namespace weft::overlay {
namespace {

bool is_tunnel(const Link& link) {
  const bool vtep = link.kind == "vxlan" &&
                    (link.name.starts_with("flannel.") || link.name.starts_with("flannel-v6."));
  return vtep || (link.kind == "tun" && link.name == "flannel0");
}

}  // namespace

std::vector<Link> stale_devices(const NetConf& conf, const std::vector<std::string>& own,
                                const std::vector<Link>& links,
                                const std::vector<LinkAddress>& addresses) {
  if (std::holds_alternative<AllocBackend>(conf.backend) ||
      std::holds_alternative<ExtensionBackend>(conf.backend))
    return {};
  const auto of_ours = [&](const Link& link) {
    return std::any_of(addresses.begin(), addresses.end(), [&](const LinkAddress& found) {
      const IpAddress& address = found.key.address.address;
      const auto network = conf.networks.find(address.family());
      return found.key.link == link.index && network != conf.networks.end() &&
             network->second.network.contains(address);
    });
  };
  std::vector<Link> stale;
  for (const auto& link : links)
    if (is_tunnel(link) && std::find(own.begin(), own.end(), link.name) == own.end() &&
        of_ours(link))
      stale.push_back(link);
  return stale;
}

}  // namespace weft::overlay
