#include "overlay/uplink.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"

namespace weft::overlay {
namespace {

const Link* find_link(const NodeNetwork& network, std::string_view name) {
  const auto found = std::find_if(network.links.begin(), network.links.end(),
                                  [&](const Link& link) { return link.name == name; });
  return found == network.links.end() ? nullptr : &*found;
}

const Link* find_link(const NodeNetwork& network, LinkIndex index) {
  const auto found = std::find_if(network.links.begin(), network.links.end(),
                                  [&](const Link& link) { return link.index == index; });
  return found == network.links.end() ? nullptr : &*found;
}

const Link* link_with_address(const NodeNetwork& network, const IpAddress& address) {
  for (const auto& candidate : network.addresses)
    if (candidate.key.address.address == address) return find_link(network, candidate.key.link);
  return nullptr;
}

// The best address of a family on a device: global before link-local, lasting before leased,
// public before privacy addresses; a deprecated one never.
std::optional<IpAddress> best_address(const NodeNetwork& network, LinkIndex link, Family family) {
  const LinkAddress* best = nullptr;
  const auto rank = [](const LinkAddress& address) {
    return std::tuple(address.key.address.address.is_link_local(), !address.permanent,
                      address.temporary);
  };
  for (const auto& address : network.addresses) {
    const IpAddress& ip = address.key.address.address;
    if (address.key.link != link || ip.family() != family) continue;
    if (address.deprecated || address.dad_failed || ip.is_loopback() || ip.is_multicast()) continue;
    if (best == nullptr || rank(address) < rank(*best)) best = &address;
  }
  return best == nullptr ? std::nullopt : std::optional(best->key.address.address);
}

const Link* default_route_link(const NodeNetwork& network, Family family) {
  const Route* best = nullptr;
  const auto routes = network.routes.find(family);
  if (routes == network.routes.end()) return nullptr;
  for (const auto& route : routes->second) {
    if (!route.key.destination.is_default() || route.type != RouteType::kUnicast) continue;
    if (route.link() == LinkIndex::kNone) continue;  // several hops: no single device
    if (best == nullptr || route.key.metric < best->key.metric) best = &route;
  }
  return best == nullptr ? nullptr : find_link(network, best->link());
}

struct Choice {
  const Link* link = nullptr;
  std::optional<IpAddress> address;  ///< the very address that was named
  std::string reason;
};

Failure no_such_interface(const UplinkOptions& options, const NodeNetwork& network) {
  std::vector<std::string> names;
  std::string shown;
  for (const auto& link : network.links) {
    if (link.loopback) continue;
    names.push_back(link.name);
    shown += (shown.empty() ? "" : ", ") + link.name;
  }
  const std::string& first = options.interfaces.front();
  return fail(
      "--iface " + first + ": no interface has that name or address" + did_you_mean(first, names),
      "name one of: " + (shown.empty() ? "(there is none)" : shown));
}

Result<Choice> choose_link(const UplinkOptions& options, const NodeNetwork& network,
                           const std::vector<Family>& families) {
  for (const auto& wanted : options.interfaces) {
    if (const auto address = IpAddress::parse(wanted)) {
      if (const Link* link = link_with_address(network, *address))
        return Choice{link, *address, "--iface names its address " + wanted};
    } else if (const Link* link = find_link(network, wanted)) {
      return Choice{link, std::nullopt, "--iface names it"};
    }
  }
  if (!options.interfaces.empty()) return no_such_interface(options, network);
  for (const auto& [family, address] : options.public_addresses)
    if (const Link* link = link_with_address(network, address))
      return Choice{link, address, "it has the public address " + address.to_string()};
  for (const Family family : families)
    if (const Link* link = default_route_link(network, family))
      return Choice{link, std::nullopt,
                    "it has the " + std::string(to_string(family)) + " default route"};
  return fail("no interface was named and there is no default route",
              "name the interface that reaches the other nodes with --iface");
}

}  // namespace

Result<Uplink> choose_uplink(const UplinkOptions& options, const NodeNetwork& network,
                             const std::vector<Family>& families) {
  ASSIGN_OR_RETURN(const Choice choice, choose_link(options, network, families));
  Uplink uplink{.link = *choice.link, .local = {}, .public_addresses = {}, .reason = choice.reason};
  for (const Family family : families) {
    std::optional<IpAddress> local = best_address(network, choice.link->index, family);
    if (choice.address && choice.address->family() == family) local = choice.address;
    if (!local)
      return fail("interface " + choice.link->name + " has no " + std::string(to_string(family)) +
                      " address",
                  "give it one, or name another interface with --iface");
    uplink.local[family] = *local;
    const auto configured = options.public_addresses.find(family);
    uplink.public_addresses[family] =
        configured == options.public_addresses.end() ? *local : configured->second;
  }
  return uplink;
}

}  // namespace weft::overlay
