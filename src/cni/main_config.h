// main_config.h: what the configurations of the main plugins have in common. Pure.
//
// A main plugin makes a device; the addresses of it come from the IPAM plugin that its
// configuration names.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "cni/plugin.h"

namespace weft::cni {

/// `ipam.type` with the checks of an ADD: the members on its way must have the right types.
CniResult<std::string> read_ipam_type(ObjectReader& config);

/// The `dns` of a configuration when it has any member, be it an empty list; then it replaces
/// that of IPAM.
std::optional<Dns> read_dns_if_told(ObjectReader& config);

/// Where a MAC address may be asked for: "mac", MAC of CNI_ARGS, args.cni.mac, and
/// runtimeConfig.mac.
enum class MacSource { kConfig, kVariable, kArgs, kRuntime };
/// The address of the strongest source that has one; `sources` begin with the weakest.
CniResult<std::optional<MacAddress>> read_mac(const Call& call,
                                              std::initializer_list<MacSource> sources);

/// "iptables", "nftables" or empty.
CniStatus check_masquerade_backend(const std::string& backend);

/// Whether ADD may have acted on a switch: anything but a plain false. DEL looks for what the
/// switch leads to unless the configuration says that there is none.
bool may_be_set(const Json& config, std::string_view key);

}  // namespace weft::cni
