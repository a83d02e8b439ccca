#include "net/route.h"

namespace weft {

std::optional<LinkIndex> directly_connected(const std::vector<Route>& routes,
                                            const IpAddress& address) {
  const Route* best = nullptr;
  for (const auto& route : routes) {
    if (!route.key.destination.contains(address)) continue;
    const auto better = [](const Route& a, const Route& b) {
      if (a.key.destination.length() != b.key.destination.length())
        return a.key.destination.length() > b.key.destination.length();
      return a.key.metric < b.key.metric;
    };
    if (best == nullptr || better(route, *best)) best = &route;
  }
  if (best == nullptr || best->type != RouteType::kUnicast || best->hops.size() != 1 ||
      best->gateway() || best->source == address)
    return std::nullopt;
  const Prefix& network = best->key.destination;
  if (address.is_v4() && network.length() < 31 && address == network.last()) return std::nullopt;
  return best->link();
}

std::string describe(const Route& route, std::string_view link) {
  std::string text = route.key.destination.to_string();
  if (route.type == RouteType::kBlackhole) text = "blackhole " + text;
  if (const auto gateway = route.gateway()) text += " via " + gateway->to_string();
  if (!link.empty()) text += " dev " + std::string(link);
  if (!route.hops.empty() && route.hops[0].onlink) text += " onlink";
  if (route.key.metric != 0) text += " metric " + std::to_string(route.key.metric);
  return text;
}

}  // namespace weft
