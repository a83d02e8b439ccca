#include "overlay/host_gw_data_plane.h"

#include <utility>

#include "overlay/forwarding_pass.h"
#include "overlay/host_gw_plan.h"

namespace weft::overlay {

std::vector<LinkIndex> HostGwDataPlane::settle(const Pass& pass) {
  for (const auto& entry : networks_) {
    const auto& peers = pass.peers.of.at(entry.first);
    const LinkIndex uplink = pass.uplink.link(entry.first).index;
    const auto plan = [&](const std::vector<Route>& node_routes) {
      HostGwPlan planned = plan_host_gw(uplink, peers, node_routes);
      for (auto& line : planned.unreachable) pass.report.refusal(std::move(line));
      return std::move(planned.tables);
    };
    pass.report.note(settle_forwarding({.network = entry.second, .uplink = uplink}, plan,
                                       pass.rtnetlink, pass.report));
  }
  return {};
}

}  // namespace weft::overlay
