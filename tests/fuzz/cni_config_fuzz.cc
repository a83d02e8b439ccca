// Network configurations on a plugin's standard input, and CNI_ARGS: the first line of the input.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "cni/attachments.h"
#include "cni/expression.h"
#include "cni/ipam_config.h"
#include "cni/plugins/bandwidth_config.h"
#include "cni/plugins/bridge_config.h"
#include "cni/plugins/chain_config.h"
#include "cni/plugins/dhcp_config.h"
#include "cni/plugins/dummy_config.h"
#include "cni/plugins/firewall_config.h"
#include "cni/plugins/flannel_config.h"
#include "cni/plugins/host_device_config.h"
#include "cni/plugins/host_local_config.h"
#include "cni/plugins/ipvlan_config.h"
#include "cni/plugins/macvlan_config.h"
#include "cni/plugins/portmap_config.h"
#include "cni/plugins/ptp_config.h"
#include "cni/plugins/sbr_plan.h"
#include "cni/plugins/static_config.h"
#include "cni/plugins/tap_config.h"
#include "cni/plugins/tuning_config.h"
#include "cni/plugins/vlan_config.h"
#include "cni/plugins/vrf_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  text.remove_prefix(first.size());
  if (const auto expression = cni::Expression::parse(first))
    (void)expression->matches(text.substr(0, 100));
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return 0;
  const cni::Environment environment{
      .container_id = "c1", .ifname = "eth0", .args = std::string(first)};
  const cni::Call call{environment, *json, text, "n", "1.0.0", {}};
  (void)cni::read_bandwidth_config(call);
  (void)cni::read_bridge_config(call);
  (void)cni::read_sbr_config(call);
  (void)cni::read_static_config(call);
  (void)cni::read_host_device_config(call);
  (void)cni::read_ptp_config(call);
  (void)cni::read_tap_config(call);
  for (const auto plan :
       {cni::plan_dummy, cni::plan_ipvlan, cni::plan_macvlan, cni::plan_tap, cni::plan_vlan})
    (void)plan(call, cni::Command::kAdd);
  (void)cni::read_tuning_config(call);
  (void)cni::read_firewall_config(call);
  (void)cni::read_portmap_config(call);
  (void)cni::read_vrf_config(call);
  (void)cni::read_dhcp_config(*json, first);
  (void)cni::chain_members(*json);
  (void)cni::as_chain(*json, {});
  (void)cni::valid_attachments(*json);
  (void)cni::ipam_type(*json);
  if (const auto config = cni::read_host_local_config(call)) {
    for (const auto& set : config->sets) {
      cni::RoundRobin candidates(set, {});
      for (int i = 0; i < 100; ++i) {
        const auto candidate = candidates.next();
        if (!candidate) break;
        CHECK(candidate->range->contains(candidate->address));
        CHECK(candidate->address != candidate->range->gateway);
      }
    }
  }
  if (const auto config = cni::read_flannel_config(call)) {
    const SubnetEnv env{.subnets = {{Family::kIpv4, *Prefix::parse("10.1.2.0/24")}}, .mtu = 1450};
    (void)cni::delegate_config(call, *config, nullptr);
    (void)cni::delegate_config(call, *config, &env);
  }
  return 0;
}
