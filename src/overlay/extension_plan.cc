#include "overlay/extension_plan.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace weft::overlay {
namespace {

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? value->to_string() : "";
}

bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

}  // namespace

CommandTemplate::Variables extension_variables(const std::map<Family, PodNetwork>& networks,
                                               const ExtensionNode& node) {
  const auto network = networks.find(Family::kIpv4);
  return {{"NETWORK", network == networks.end() ? "" : network->second.network.to_string()},
          {"SUBNET", text_of(node.subnets.ipv4)},
          {"IPV6SUBNET", text_of(node.subnets.ipv6)},
          {"PUBLIC_IP", text_of(node.public_ipv4)},
          {"PUBLIC_IPV6", text_of(node.public_ipv6)}};
}

Result<std::string> parse_extension_data(std::string_view text) {
  constexpr std::size_t kLongest = 16 * 1024;
  if (text.empty()) return "";
  if (text.size() > kLongest) return fail("its data is longer than 16 KiB");
  const auto json = parse_json(text);
  if (!json) return fail("its data is no JSON");
  if (json->is_null()) return "";
  if (!json->is_string()) return fail("its data is no JSON text");
  const auto& data = json->get_ref<const std::string&>();
  if (std::any_of(data.begin(), data.end(), is_forbidden))
    return fail("its data holds control characters");
  return data;
}

std::string extension_data_to_json(std::string_view printed) {
  return printed.empty() ? "" : to_text(Json(std::string(printed)));
}

ExtensionPeers extension_peers(const Peers& accepted, const LeaseView& leases) {
  std::set<Prefix> subnets;
  for (const auto& [family, peers] : accepted.of)
    for (const auto& peer : peers) subnets.insert(peer.subnet);
  ExtensionPeers result;
  for (const auto& [key, lease] : leases.leases) {
    const auto& attributes = lease.attributes;
    ExtensionNode node;
    if (key.ipv4 && subnets.contains(*key.ipv4)) {
      node.subnets.ipv4 = key.ipv4;
      node.public_ipv4 = attributes.public_ipv4;
    }
    if (key.ipv6 && subnets.contains(*key.ipv6)) {
      node.subnets.ipv6 = key.ipv6;
      node.public_ipv6 = attributes.public_ipv6;
    }
    if (!node.subnets.ipv4 && !node.subnets.ipv6) continue;
    // Of either family, as flannel: both halves of a lease are one node.
    auto data = parse_extension_data(attributes.backend_data);
    if (!data) {
      result.refused.push_back("lease " + key.describe() +
                               ": not programmed: " + data.error().what);
      continue;
    }
    node.data = *std::move(data);
    result.nodes.emplace(key, std::move(node));
  }
  return result;
}

}  // namespace weft::overlay
