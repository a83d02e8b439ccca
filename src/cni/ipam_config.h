// ipam_config.h: what the configurations of all IPAM plugins have in common. Pure.
#pragma once

#include <string>
#include <vector>

#include "cni/plugin.h"

namespace weft::cni {

/// `ipam.type`, whatever else is wrong with the configuration; empty when there is none.
std::string ipam_type(const Json& config);

/// The object `ipam`, without which an IPAM plugin has nothing to do.
CniResult<const Json*> ipam_object(const Json& config);

/// `args.cni.ips` or `runtimeConfig.ips`: `holder` is the object that has the list.
CniResult<std::vector<std::string>> read_requested_ips(const Json* holder);

/// Versions before 0.3.0 have room for one address of each family.
CniStatus check_addresses_per_family(std::size_t ipv4, std::size_t ipv6,
                                     const std::string& version);

}  // namespace weft::cni
