#include "lab/graph.h"

#include <algorithm>

namespace weft::lab {
namespace {

std::string words(const std::vector<InterfaceAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += " " + address.to_string();
  return text.empty() ? " (no address)" : text;
}

bool stands_on(const NodeView& node, const std::vector<InterfaceAddress>& gateways) {
  return std::any_of(gateways.begin(), gateways.end(), [&](const InterfaceAddress& gateway) {
    return std::any_of(node.addresses.begin(), node.addresses.end(),
                       [&](const InterfaceAddress& address) {
                         return gateway.network().contains(address.address);
                       });
  });
}

std::string describe(const Tunnel& tunnel) {
  std::string text = tunnel.subnet.to_string() + " via " + tunnel.device;
  if (!tunnel.kind.empty()) text += " (" + tunnel.kind + ")";
  if (tunnel.remote)
    text += " to " + tunnel.remote->to_string();
  else
    text += " to nowhere: no forwarding entry";
  return text + (tunnel.to.empty() ? " (no node has that subnet)" : " (" + tunnel.to + ")");
}

void draw_node(const LabView& view, const NodeView& node, std::string& text) {
  text += "  +-- " + node.name + words(node.addresses) + "\n";
  std::string subnets;
  for (const auto& subnet : node.subnets) subnets += " " + subnet.to_string();
  text += "  |     subnet" + (subnets.empty() ? " none yet" : subnets) +
          (node.agent == 0 ? "  (agent not running)" : "") + "\n";
  for (const auto& tunnel : node.tunnels) text += "  |     route  " + describe(tunnel) + "\n";
  for (const auto& pod : view.pods)
    if (pod.node == node.name)
      text += "  |     pod    " + pod.name + words(pod.addresses) +
              (pod.running ? "" : "  (not running)") + "\n";
}

}  // namespace

std::string draw_text(const LabView& view) {
  std::string text = "lab " + view.name + "\n\noutside";
  for (const auto& host : view.outside) text += " " + host.address.to_string();
  text += "\n  |\nrouter\n";
  for (std::size_t i = 0; i < view.segments.size(); ++i) {
    text += "  |\n  segment " + std::to_string(i) + ", gateway" + words(view.segments[i]) + "\n";
    for (const auto& node : view.nodes)
      if (stands_on(node, view.segments[i])) draw_node(view, node, text);
  }
  return text;
}

}  // namespace weft::lab
