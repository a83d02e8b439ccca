#include "cni/plugins/flannel_config.h"

namespace weft::cni {
namespace {

// Go looks these keys up in a map, where only the exact spelling counts.
bool has(const Json& object, const char* key) {
  return object.contains(key);
}

CniStatus check_delegate(const Json& delegate) {
  const std::string subject = "'delegate' dictionary";
  if (has(delegate, "type") && !delegate["type"].is_string())
    return refuse(subject + ", if present, must have (string) 'type' field");
  for (const char* key : {"name", "ipam"})
    if (has(delegate, key))
      return refuse(subject + " must not have '" + key + "' field, it'll be set by flannel");
  return {};
}

Json ranges_of(const SubnetEnv& env) {
  Json ranges = Json::array();
  for (const auto& [family, subnet] : env.subnets) {
    Json range = Json::object();
    range["subnet"] = subnet.to_string();
    ranges.push_back(Json::array({range}));
  }
  return ranges;
}

CniResult<Json> routes_of(const Json& ipam, const SubnetEnv& env) {
  Json routes = Json::array();
  if (has(ipam, "routes") && !ipam["routes"].is_null()) {
    const auto checked = read_routes(&ipam["routes"], "routes");
    if (!checked)
      return because(
          "failed to assemble Delegate IPAM: failed to read IPAM routes: failed to "
          "parse ipam.routes",
          checked.error());
    routes = ipam["routes"];
  }
  for (const auto& [family, networks] : env.networks)
    for (const auto& network : networks) {
      Json route = Json::object();
      route["dst"] = network.to_string();
      routes.push_back(route);
    }
  return routes;
}

CniResult<Json> delegate_ipam(const FlannelConfig& config, const SubnetEnv* env) {
  Json ipam = config.ipam.value_or(Json::object());
  if (!has(ipam, "type")) ipam["type"] = "host-local";
  if (env == nullptr) return ipam;
  ipam["ranges"] = ranges_of(*env);
  ASSIGN_OR_RETURN(ipam["routes"], routes_of(ipam, *env));
  return ipam;
}

}  // namespace

CniResult<FlannelConfig> read_flannel_config(const Call& call) {
  FlannelConfig config;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("subnetFile", config.subnet_file);
  reader.read("dataDir", config.data_dir);
  if (const Json* delegate = reader.object("delegate")) config.delegate = *delegate;
  if (const Json* ipam = reader.object("ipam")) config.ipam = *ipam;
  if (const Json* runtime = reader.object("runtimeConfig")) config.runtime_config = *runtime;
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check_delegate(config.delegate));
  return config;
}

CniResult<Json> delegate_config(const Call& call, const FlannelConfig& config,
                                const SubnetEnv* env) {
  Json delegate = config.delegate;
  if (config.runtime_config) delegate["runtimeConfig"] = *config.runtime_config;
  delegate["name"] = call.network;
  if (!has(delegate, "type")) delegate["type"] = "bridge";
  if (env != nullptr) {
    if (!has(delegate, "ipMasq")) delegate["ipMasq"] = !env->masquerade;
    if (!has(delegate, "mtu")) delegate["mtu"] = env->mtu;
  }
  if (delegate["type"] == "bridge" && !has(delegate, "isGateway")) delegate["isGateway"] = true;
  if (find_member(call.config, "cniVersion") != nullptr) delegate["cniVersion"] = call.version;
  ASSIGN_OR_RETURN(delegate["ipam"], delegate_ipam(config, env));
  return delegate;
}

}  // namespace weft::cni
