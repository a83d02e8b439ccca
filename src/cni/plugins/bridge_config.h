// bridge_config.h: the configuration of the bridge plugin, and its gateways. Pure.
//
// Source: containernetworking/plugins, plugins/main/bridge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cni/plugin.h"

namespace weft::cni {

struct BridgeConfig {
  std::string bridge = "cni0";
  bool is_gateway = false;
  bool is_default_gateway = false;  ///< implies is_gateway
  bool force_address = false;
  bool ip_masq = false;
  std::string ip_masq_backend = {};  ///< "iptables", "nftables" or empty: what works
  std::uint32_t mtu = 0;             ///< 0: the kernel's choice
  bool hairpin = false;
  bool promiscuous = false;
  std::uint16_t vlan = 0;                      ///< 0: none
  std::vector<std::uint16_t> vlan_trunk = {};  ///< in order
  bool has_vlan_trunk = false;                 ///< `vlanTrunk` was given, even if empty
  bool preserve_default_vlan = true;
  bool mac_spoof_check = false;
  bool enable_dad = false;
  bool disable_container_interface = false;
  bool port_isolation = false;
  std::optional<MacAddress> mac = {};
  std::string ipam_type = {};  ///< empty: no addresses
  Dns dns = {};                ///< replaces that of IPAM when not empty

  bool filters_vlans() const { return vlan != 0 || has_vlan_trunk; }
};

CniResult<BridgeConfig> read_bridge_config(const Call& call);

/// Completes what IPAM gave: every address belongs to interface `container`, has a gateway when
/// the bridge is one, and a default route of its family when asked. Returns the addresses that
/// the bridge needs as a gateway, in order and without repetition.
std::vector<InterfaceAddress> complete_with_gateways(AddResult& result, const BridgeConfig& config,
                                                     int container);

}  // namespace weft::cni
