#include "service/node_rules.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cluster/object_texts.h"

namespace weft::service {
namespace {

std::vector<Prefix> first_of_each_family(const std::vector<Prefix>& ranges) {
  std::vector<Prefix> first;
  for (const auto& range : ranges)
    if (first.empty() || (first.size() == 1 && first[0].family() != range.family()))
      first.push_back(range);
  return first;
}

// Where ports of the node are served; empty: everywhere. kube-proxy serves them at the primary
// addresses in mode nftables, and everywhere in the modes that people come from.
std::vector<Prefix> node_port_ranges(const ProxyConfig& config, const OwnNode& node) {
  std::vector<std::string> words = config.node_port_addresses;
  if (words.empty() && config.mode == "nftables") words = {"primary"};
  std::vector<Prefix> ranges;
  if (words == std::vector<std::string>{"primary"}) {
    for (const auto& address : primary_addresses(config, node))
      if (!address.is_loopback()) ranges.push_back(Prefix::host(address));
    return ranges;
  }
  for (const auto& word : words)
    if (const auto range = Prefix::parse(word)) ranges.push_back(*range);
  return ranges;
}

// Of a family of which no range speaks, all addresses.
std::optional<std::vector<IpAddress>> node_port_addresses(Family family, const RuleInputs& inputs) {
  std::vector<Prefix> ranges = node_port_ranges(inputs.config, inputs.node);
  std::erase_if(ranges, [&](const Prefix& range) { return range.family() != family; });
  const auto everything = [](const Prefix& range) { return range.is_default(); };
  if (ranges.empty() || std::any_of(ranges.begin(), ranges.end(), everything)) return std::nullopt;
  std::vector<IpAddress> addresses;
  for (const auto& address : inputs.own_addresses) {
    const auto inside = [&](const Prefix& range) { return range.contains(address); };
    if (!address.is_loopback() && std::any_of(ranges.begin(), ranges.end(), inside))
      addresses.push_back(address);
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace

std::vector<IpAddress> primary_addresses(const ProxyConfig& config, const OwnNode& node) {
  std::vector<IpAddress> addresses = node.addresses;
  const auto bound = parse_object_address(config.bind_address);
  if (bound && !bound->is_unspecified()) {
    std::erase_if(addresses, [&](const auto& other) { return other.family() == bound->family(); });
    addresses.insert(addresses.begin(), *bound);
  }
  for (const char* loopback : {"127.0.0.1", "::1"}) {
    const IpAddress address = *IpAddress::parse(loopback);
    const auto same = [&](const auto& other) { return other.family() == address.family(); };
    if (std::none_of(addresses.begin(), addresses.end(), same)) addresses.push_back(address);
  }
  return addresses;
}

LocalDetector local_detector(const ProxyConfig& config, const OwnNode& node) {
  const std::string& mode = config.detect_local_mode;
  if (mode == "NodeCIDR") return {.ranges = first_of_each_family(node.pod_cidrs)};
  if (mode == "BridgeInterface") return {.bridge = config.detect_local.bridge_interface};
  if (mode == "InterfaceNamePrefix")
    return {.link_prefix = config.detect_local.interface_name_prefix};
  std::vector<Prefix> ranges;
  for (const auto& word : split(config.cluster_cidr, ','))
    if (const auto range = Prefix::parse(word)) ranges.push_back(*range);
  return {.ranges = first_of_each_family(ranges)};
}

RuleOptions rule_options(Family family, const RuleInputs& inputs) {
  RuleOptions options{
      .family = family,
      .masquerade_mark = 1U << static_cast<unsigned>(inputs.config.masquerade_bit()),
      .masquerade_all = inputs.config.masquerade_all(),
      .detector = local_detector(inputs.config, inputs.node),
      .node_port_addresses = node_port_addresses(family, inputs)};
  for (const auto& range : inputs.service_ranges)
    if (range.family() == family) options.service_ranges.push_back(range);
  std::sort(options.service_ranges.begin(), options.service_ranges.end());
  return options;
}

}  // namespace weft::service
