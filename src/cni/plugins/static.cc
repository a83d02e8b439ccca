#include "cni/plugins/static.h"

#include "cni/plugins/static_config.h"

namespace weft::cni {
namespace {

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(StaticConfig config, read_static_config(call));
  AddResult result{.routes = std::move(config.routes), .dns = std::move(config.dns)};
  for (const auto& entry : config.addresses)
    result.ips.push_back({.address = entry.address, .gateway = entry.gateway});
  return result;
}

CniStatus del(const Call&) {
  return {};
}

// Whether the address is on the interface is for the plugin to check that put it there.
CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const StaticConfig config, read_static_config(call));
  ASSIGN_OR_RETURN(const auto result, previous_result(call.config, call.version));
  if (!result) return refuse("Required prevResult missing");
  for (const auto& entry : config.addresses)
    for (const auto& ip : result->ips) {
      if (ip.address.address != entry.address.address) continue;
      if (!entry.gateway || entry.gateway == ip.gateway) break;
      return refuse("static: Failed to match addr " + ip.address.address.to_string() +
                    " on interface " + call.environment.ifname);
    }
  return {};
}

}  // namespace

const Plugin kStatic{.name = "static",
                     .add = add,
                     .del = del,
                     .check = check,
                     .status = nullptr,
                     .gc = nullptr,
                     .kind = Kind::kIpam};

}  // namespace weft::cni
