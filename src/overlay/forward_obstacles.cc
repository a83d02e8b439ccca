#include "overlay/forward_obstacles.h"

#include <algorithm>
#include <optional>

#include "overlay/forward_verdict.h"

namespace weft::overlay {
namespace {

bool sees(const nft::TableId& table, Family family) {
  return table.family == nft::TableFamily::kInet || table.family == nft::table_family(family);
}

bool is_left_out(const nft::TableId& table) {
  if (table.name.rfind("flannel-", 0) == 0 || table.name == "kube-proxy") return true;
  return table.family != nft::TableFamily::kInet && (table.name == "filter" || table.name == "nat");
}

std::string remedy(const nft::TableId& table, const Prefix& network) {
  const std::string pods = network.to_string();
  if (table.name == "firewalld")
    return "firewall-cmd --permanent --zone=trusted --add-source=" + pods +
           " && firewall-cmd --reload";
  const std::string address = network.family() == Family::kIpv4 ? "ip" : "ip6";
  return "accept " + address + " saddr " + pods + " and " + address + " daddr " + pods +
         " there; an accept in another table does not undo a drop";
}

}  // namespace

std::string pod_device(const Prefix& subnet, const std::vector<std::string>& tunnels,
                       const NodeNetwork& network) {
  const auto has_address_of_it = [&](const Link& link) {
    return std::any_of(network.addresses.begin(), network.addresses.end(), [&](const auto& found) {
      return found.key.link == link.index && subnet.contains(found.key.address.address);
    });
  };
  for (const auto& link : network.links)
    if (has_address_of_it(link) &&
        std::find(tunnels.begin(), tunnels.end(), link.name) == tunnels.end())
      return link.name;
  return "cni0";
}

Result<std::vector<std::string>> forward_obstacles(kernel::Nftables& nftables,
                                                   const Prefix& network, const Prefix& subnet,
                                                   const std::string& device,
                                                   const std::string& bridge) {
  // A pod here and one of a subnet that is not this node's.
  const IpAddress here = subnet.address().plus(2).value();
  const Prefix first(network.address(), subnet.length());
  const Prefix other = first == subnet ? subnet.next().value_or(first) : first;
  const IpAddress there = other.address().plus(2).value();
  const ForwardedPacket packets[] = {
      {.source = there, .destination = here, .incoming_link = device, .outgoing_link = bridge},
      {.source = here, .destination = there, .incoming_link = bridge, .outgoing_link = device}};
  ASSIGN_OR_RETURN(const auto tables, nftables.tables());
  std::vector<std::string> lines;
  for (const auto& table : tables) {
    if (!sees(table.id, network.family()) || is_left_out(table.id)) continue;
    ASSIGN_OR_RETURN(const auto contents, nftables.read(table.id));
    std::optional<Dropped> dropped;
    for (const auto& packet : packets)
      if (contents && !dropped) dropped = find_drop(*contents, packet);
    if (dropped)
      lines.push_back("pods' packets are dropped on their way through this node: nftables table " +
                      dropped->table.to_string() + ", chain " + dropped->chain + ", " +
                      dropped->by + "; " + remedy(table.id, network));
  }
  return lines;
}

}  // namespace weft::overlay
