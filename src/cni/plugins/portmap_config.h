// portmap_config.h: the configuration of the portmap plugin. Pure.
//
// Source: containernetworking/plugins, plugins/meta/portmap (main.go).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cni/plugin.h"
#include "net/nft_rules.h"

namespace weft::cni {

struct PortMapping {
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  nft::L4Protocol protocol = nft::L4Protocol::kTcp;
  std::optional<IpAddress> host_ip = {};  ///< 0.0.0.0 and ::: every address of the family
  bool operator==(const PortMapping&) const = default;

  /// False when the host's address is of the other family.
  bool is_of(Family family) const { return !host_ip || host_ip->family() == family; }
  /// The one address of the host that is mapped.
  std::optional<IpAddress> only_host_ip() const {
    return host_ip && !host_ip->is_unspecified() ? host_ip : std::nullopt;
  }
};

struct PortmapConfig {
  enum class Backend { kIptables, kNftables };
  std::optional<Backend> backend = {};  ///< nothing: iptables where it is installed
  bool snat = true;
  bool masquerade_all = false;
  std::uint32_t mark = 1U << 13U;
  std::string external_mark_chain = {};
  std::vector<std::string> conditions_v4 = {};  ///< words of the back end
  std::vector<std::string> conditions_v6 = {};
  std::vector<PortMapping> mappings = {};

  const std::vector<std::string>& conditions(Family family) const {
    return family == Family::kIpv4 ? conditions_v4 : conditions_v6;
  }
};

CniResult<PortmapConfig> read_portmap_config(const Call& call);

/// Chooses the back end where the configuration leaves it open: iptables where it is installed,
/// as the Go plugin does. Refuses options of the other one.
CniStatus settle_backend(PortmapConfig& config, bool has_iptables);

/// The container's first address of each family in a result: of the call's interface, or of none.
std::vector<InterfaceAddress> container_addresses(const AddResult& result,
                                                  const std::string& ifname);

}  // namespace weft::cni
