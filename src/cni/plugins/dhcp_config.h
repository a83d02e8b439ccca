// dhcp_config.h: the configuration of dhcp. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cni/cni_error.h"
#include "cni/plugins/dhcp_packet.h"

namespace weft::cni {

inline constexpr const char* kDhcpSocket = "/run/cni/dhcp.sock";

struct DhcpConfig {
  std::string socket = kDhcpSocket;
  std::uint32_t priority = 0;  ///< the metric of the routes; 0: the kernel's
  DhcpOptions options = {};    ///< what `provide` and `request` add to every message
};

/// `args` is CNI_ARGS, where `provide` may take values from. Refuses options that are neither a
/// number nor one of the names of dhcp-options(5) that the Go plugin knows.
CniResult<DhcpConfig> read_dhcp_config(const Json& config, std::string_view args);

/// Option 61 of an attachment: a zero for the type, then "CONTAINER/NETWORK/IFNAME", cut so that
/// one option can hold it.
std::string dhcp_client_id(std::string_view container_id, std::string_view network,
                           std::string_view ifname);

}  // namespace weft::cni
