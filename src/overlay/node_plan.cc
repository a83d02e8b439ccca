#include "overlay/node_plan.h"

namespace weft::overlay {

UplinkOptions with_hints_of_node(UplinkOptions options, const Node& node) {
  for (const auto& [suffix, family] :
       {std::pair("node-public-ip", Family::kIpv4), {"node-public-ipv6", Family::kIpv6}}) {
    const auto text = node.annotation(suffix);
    const auto address = text ? IpAddress::parse(*text) : std::nullopt;
    if (address && address->family() == family) options.public_addresses[family] = *address;
  }
  if (options.interfaces.empty()) options.node_addresses = node.internal_ips;
  return options;
}

Result<LeaseKey> own_subnet_of_node(const Node& node,
                                    const std::map<Family, PodNetwork>& networks) {
  const std::string next =
      "let kube-controller-manager give it one (--allocate-node-cidrs with --cluster-cidr), or set "
      "spec.podCIDRs";
  auto all = subnet_of_node(node, Whose::kOwn);
  if (!all) return fail("node " + node.name + ": " + all.error().what, next);
  LeaseKey key;
  for (const auto& [family, network] : networks) {
    const auto& subnet = all->subnet(family);
    const std::string name(to_string(family));
    if (!subnet) return fail("node " + node.name + ": it has no " + name + " podCIDR", next);
    if (!network.network.contains(*subnet))
      return fail("node " + node.name + ": its podCIDR " + subnet->to_string() +
                      " lies outside of the pod network " + network.network.to_string(),
                  "make net-conf.json and the controller manager's --cluster-cidr agree");
    key.subnet(family) = *subnet;
  }
  return key;
}

std::map<Family, PodNetwork> cut_as_node(std::map<Family, PodNetwork> networks, const Node& node) {
  const auto key = own_subnet_of_node(node, networks);
  if (!key) return networks;
  for (auto& [family, cut] : networks) {
    const auto length = key->subnet(family)->length();
    cut = {.network = cut.network,
           .subnet_length = length,
           .first = Prefix(cut.network.address(), length),
           .last = Prefix(cut.network.last(), length)};
  }
  return networks;
}

}  // namespace weft::overlay
