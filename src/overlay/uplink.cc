#include "overlay/uplink.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace weft::overlay {
namespace {

struct Endpoint {
  const Link* link = nullptr;
  IpAddress address;
  std::string reason;
};

// One family's part of the node, and the questions that are put to it.
class Finder {
 public:
  Finder(const NodeNetwork& network, Family family) : network_(network), family_(family) {}

  const Link* link_named(std::string_view name) const {
    return find([&](const Link& link) { return link.name == name; });
  }

  std::optional<Endpoint> with_address(const IpAddress& address, std::string reason) const {
    if (address.family() != family_) return std::nullopt;
    const Link* link = carrier(address);
    if (link == nullptr) return std::nullopt;
    return Endpoint{link, address, std::move(reason)};
  }

  /// The best address of a device.
  std::optional<Endpoint> on(const Link* link, std::string reason) const {
    if (link == nullptr) return std::nullopt;
    const auto addresses = usable(link->index);
    if (addresses.empty()) return std::nullopt;
    return Endpoint{link, addresses.front(), std::move(reason)};
  }

  /// The device that has an address of any family.
  const Link* carrier(const IpAddress& address) const {
    for (const auto& candidate : network_.addresses)
      if (candidate.key.address.address == address) return numbered(candidate.key.link);
    return nullptr;
  }

  std::optional<Endpoint> matching(const Pattern& pattern) const {
    for (const auto& link : network_.links)
      for (const auto& address : usable(link.index))
        if (pattern.matches(address.to_string()))
          return Endpoint{&link, address, "--iface-regex " + pattern.text() + " matches it"};
    for (const auto& link : network_.links)
      if (pattern.matches(link.name))
        if (auto found = on(&link, "--iface-regex " + pattern.text() + " matches the name"))
          return found;
    return std::nullopt;
  }

  std::optional<Endpoint> reaching(const Route& route, const IpAddress& target) const {
    const std::string reason = "it reaches " + target.to_string();
    if (target.family() != family_) return std::nullopt;
    const Link* link = numbered(route.link());
    if (link != nullptr && route.source) return Endpoint{link, *route.source, reason};
    return on(link, reason);
  }

  std::optional<Endpoint> by_default_route() const {
    std::vector<const Route*> defaults;
    if (const auto routes = network_.routes.find(family_); routes != network_.routes.end())
      for (const auto& route : routes->second)
        if (route.key.destination.is_default() && route.type == RouteType::kUnicast)
          defaults.push_back(&route);
    std::stable_sort(defaults.begin(), defaults.end(), [](const Route* left, const Route* right) {
      return left->key.metric < right->key.metric;
    });
    const std::string name = "the " + std::string(to_string(family_)) + " default route";
    for (const Route* route : defaults)
      // Of a route with several hops the first that this family can use: all of them lead out.
      for (const auto& hop : route->hops)
        if (auto found =
                on(numbered(hop.link),
                   route->hops.size() == 1 ? "it has " + name : "it is the first hop of " + name))
          return found;
    return std::nullopt;
  }

 private:
  template <class Matches>
  const Link* find(Matches matches) const {
    const auto found = std::find_if(network_.links.begin(), network_.links.end(), matches);
    return found == network_.links.end() ? nullptr : &*found;
  }
  const Link* numbered(LinkIndex index) const {
    return find([&](const Link& link) { return link.index == index; });
  }

  // A device's addresses, the best first: global before link-local, lasting before leased, public
  // before privacy addresses; a deprecated one never.
  std::vector<IpAddress> usable(LinkIndex link) const {
    std::vector<const LinkAddress*> found;
    for (const auto& address : network_.addresses) {
      const IpAddress& ip = address.key.address.address;
      if (address.key.link != link || ip.family() != family_) continue;
      if (address.deprecated || address.dad_failed || ip.is_loopback() || ip.is_multicast())
        continue;
      found.push_back(&address);
    }
    const auto rank = [](const LinkAddress* address) {
      return std::tuple(address->key.address.address.is_link_local(), !address->permanent,
                        address->temporary);
    };
    std::stable_sort(found.begin(), found.end(),
                     [&](const auto* left, const auto* right) { return rank(left) < rank(right); });
    std::vector<IpAddress> addresses;
    for (const auto* address : found) addresses.push_back(address->key.address.address);
    return addresses;
  }

  const NodeNetwork& network_;
  Family family_;
};

// The address of this family that the command line tells peers, where the node itself has it.
std::optional<Endpoint> by_public_address(const UplinkOptions& options, const Finder& finder,
                                          Family family) {
  const auto told = options.public_addresses.find(family);
  if (told == options.public_addresses.end()) return std::nullopt;
  return finder.with_address(told->second, "it has the public address " + told->second.to_string());
}

std::optional<Endpoint> by_interfaces(const UplinkOptions& options, const Finder& finder,
                                      Family family) {
  for (const auto& wanted : options.interfaces) {
    const auto address = IpAddress::parse(wanted);
    if (!address) {
      if (auto found = finder.on(finder.link_named(wanted), "--iface names it")) return found;
    } else if (address->family() == family) {
      if (auto found = finder.with_address(*address, "--iface names its address " + wanted))
        return found;
    }
  }
  // An address of the other family says which device, but not which of its addresses.
  for (const auto& wanted : options.interfaces)
    if (const auto address = IpAddress::parse(wanted); address && finder.carrier(*address)) {
      if (auto found = by_public_address(options, finder, family)) return found;
      if (auto found = finder.on(finder.carrier(*address), "--iface names its address " + wanted))
        return found;
    }
  return std::nullopt;
}

bool names_devices(const UplinkOptions& options) {
  return !options.interfaces.empty() || !options.patterns.empty();
}

// What was said about this family.
std::optional<Endpoint> as_told(const UplinkOptions& options, const NodeNetwork& network,
                                Family family) {
  const Finder finder(network, family);
  if (auto found = by_interfaces(options, finder, family)) return found;
  for (const auto& pattern : options.patterns)
    if (auto found = finder.matching(pattern)) return found;
  if (names_devices(options)) return std::nullopt;
  if (options.can_reach)
    return network.reaching ? finder.reaching(*network.reaching, *options.can_reach) : std::nullopt;
  if (auto found = by_public_address(options, finder, family)) return found;
  for (const auto& address : options.node_addresses)
    if (auto found =
            finder.with_address(address, "it has the node's InternalIP " + address.to_string()))
      return found;
  return std::nullopt;
}

std::string list_of(const NodeNetwork& network, std::vector<std::string>& names) {
  std::string shown;
  for (const auto& link : network.links) {
    if (link.loopback) continue;
    names.push_back(link.name);
    shown += (shown.empty() ? "" : ", ") + link.name;
    for (const auto& address : network.addresses)
      if (address.key.link == link.index) shown += " " + address.key.address.address.to_string();
  }
  return shown.empty() ? "(there is none)" : shown;
}

Failure nothing_found(const UplinkOptions& options, const NodeNetwork& network) {
  std::vector<std::string> names;
  const std::string next = "name one of: " + list_of(network, names);
  if (!options.interfaces.empty()) {
    const std::string& first = options.interfaces.front();
    return fail(
        "--iface " + first + ": no interface has that name or address" + did_you_mean(first, names),
        next);
  }
  if (!options.patterns.empty())
    return fail("--iface-regex " + options.patterns.front().text() +
                    ": it matches no interface's address or name",
                next);
  if (options.can_reach)
    return fail(
        "--iface-can-reach " + options.can_reach->to_string() + ": this node has no route there",
        "name the interface that reaches the other nodes with --iface");
  return fail("no interface was named and there is no default route",
              "name the interface that reaches the other nodes with --iface");
}

// The device that was named, whatever addresses it has.
const Link* named_device(const UplinkOptions& options, const NodeNetwork& network) {
  for (const auto& wanted : options.interfaces)
    if (const Link* link = Finder(network, Family::kIpv4).link_named(wanted)) return link;
  return nullptr;
}

Failure no_address(const Link& link, Family family) {
  return fail("interface " + link.name + " has no " + std::string(to_string(family)) + " address",
              "give it one, or name another interface with --iface");
}

void take(Uplink& uplink, Family family, const Endpoint& endpoint, const UplinkOptions& options) {
  uplink.links[family] = *endpoint.link;
  uplink.local[family] = endpoint.address;
  uplink.reasons[family] = endpoint.reason;
  const auto told = options.public_addresses.find(family);
  uplink.public_addresses[family] =
      told == options.public_addresses.end() ? endpoint.address : told->second;
}

}  // namespace

std::uint32_t Uplink::mtu() const {
  std::uint32_t least = 0;
  for (const auto& [family, link] : links)
    least = least == 0 ? link.mtu : std::min(least, link.mtu);
  return least;
}

bool Uplink::has_link(const std::string& name) const {
  return std::any_of(links.begin(), links.end(),
                     [&](const auto& entry) { return entry.second.name == name; });
}

Result<Uplink> choose_uplink(const UplinkOptions& options, const NodeNetwork& network,
                             const std::vector<Family>& families) {
  Uplink uplink;
  for (const Family family : families)
    if (const auto found = as_told(options, network, family)) take(uplink, family, *found, options);
  const bool told = names_devices(options) || options.can_reach;
  if (uplink.links.empty() && told) {
    const Link* named = named_device(options, network);
    return named != nullptr ? no_address(*named, families.front())
                            : nothing_found(options, network);
  }
  for (const Family family : families) {
    if (uplink.links.contains(family)) continue;
    const Finder finder(network, family);
    const auto beside_the_other = [&]() -> std::optional<Endpoint> {
      if (uplink.links.empty()) return std::nullopt;
      const Link& other = uplink.links.begin()->second;
      return finder.on(finder.link_named(other.name), "it is the other family's");
    };
    // What was said of one family holds for both rather than a route.
    auto found = told ? beside_the_other() : finder.by_default_route();
    if (!found) found = told ? finder.by_default_route() : beside_the_other();
    if (!found && !uplink.links.empty()) return no_address(uplink.links.begin()->second, family);
    if (!found) return nothing_found(options, network);
    take(uplink, family, *found, options);
  }
  return uplink;
}

Result<Uplink> refresh_uplink(const Uplink& chosen, const UplinkOptions& options,
                              const NodeNetwork& network) {
  Uplink now;
  for (const auto& [family, before] : chosen.links) {
    const Finder finder(network, family);
    const Link* link = finder.link_named(before.name);
    if (link == nullptr)
      return fail("the uplink " + before.name + " is gone",
                  "bring it back; the overlay waits for it");
    const IpAddress& local = chosen.local.at(family);
    auto found = finder.carrier(local) == link
                     ? std::optional(Endpoint{link, local, chosen.reasons.at(family)})
                     : finder.on(link, chosen.reasons.at(family));
    if (!found) return no_address(*link, family);
    take(now, family, *found, options);
  }
  return now;
}

std::string describe(const Uplink& uplink) {
  std::string text;
  for (const auto& [family, link] : uplink.links) {
    const IpAddress& local = uplink.local.at(family);
    const IpAddress& told = uplink.public_addresses.at(family);
    text += (text.empty() ? "" : "; ") + std::string(to_string(family)) + " " + local.to_string() +
            " on " + link.name + " (" + uplink.reasons.at(family) + ")";
    if (told != local) text += ", told to peers as " + told.to_string();
  }
  return text;
}

}  // namespace weft::overlay
