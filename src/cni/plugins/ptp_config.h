// ptp_config.h: the configuration of the ptp plugin, and its routes on the host. Pure.
//
// Source: containernetworking/plugins, plugins/main/ptp.
#pragma once

#include <string>
#include <vector>

#include "cni/device_plan.h"
#include "net/link_address.h"

namespace weft::cni {

struct PtpConfig {
  DevicePlan device = {};  ///< the container's end
  bool ip_masq = false;
  std::string ip_masq_backend = {};  ///< "iptables", "nftables" or empty: what works
};

CniResult<PtpConfig> read_ptp_config(const Call& call);

/// What the host's end of the link has: each gateway's address, without a network, and a route to
/// each address of the container.
struct PtpHost {
  std::vector<LinkAddress> addresses = {};
  std::vector<Route> routes = {};
};
/// Addresses without a gateway lead nowhere and are passed over.
PtpHost plan_ptp_host(const AddResult& result, LinkIndex host);

}  // namespace weft::cni
