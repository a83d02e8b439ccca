#include "cni/plugins/firewall_config.h"

#include "net/link.h"

namespace weft::cni {
namespace {

using Policy = FirewallConfig::IngressPolicy;

constexpr std::size_t kLongestChain = 28;

CniStatus read_policy(const std::string& name, FirewallConfig& config) {
  if (name.empty() || name == "open") return {};
  if (name == "same-bridge")
    config.policy = Policy::kSameBridge;
  else if (name == "isolated")
    config.policy = Policy::kIsolated;
  else
    return refuse("unknown ingress policy: " + in_quotes(name));
  return {};
}

const char* name_of(Policy policy) {
  return policy == Policy::kIsolated ? "isolated" : "same-bridge";
}

}  // namespace

CniResult<FirewallConfig> read_firewall_config(const Call& call) {
  FirewallConfig config;
  std::string backend;
  std::string chain;
  std::string zone;
  std::string policy;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("backend", backend);
  reader.read("iptablesAdminChainName", chain);
  reader.read("firewalldZone", zone);
  reader.read("ingressPolicy", policy);
  RETURN_IF_ERROR(reader.finish());
  // Any other word leaves the choice to us, as the Go plugin has it.
  if (backend == "iptables") config.backend = FirewallConfig::Backend::kIptables;
  if (backend == "firewalld") config.backend = FirewallConfig::Backend::kFirewalld;
  if (!zone.empty()) config.zone = zone;
  if (!chain.empty()) config.admin_chain = chain;
  if (config.admin_chain.size() > kLongestChain || config.admin_chain.front() == '-' ||
      config.admin_chain.find_first_of(" \t\r\n\"'\\!") != std::string::npos)
    return refuse(in_quotes(config.admin_chain) + " is no name of a chain of iptables");
  RETURN_IF_ERROR(read_policy(policy, config));
  return config;
}

CniResult<std::string> policed_bridge(const AddResult& result, const FirewallConfig& config) {
  if (result.interfaces.empty())
    return refuse("interface needs to be set for ingress policy " +
                  in_quotes(name_of(config.policy)) +
                  ", make sure to chain \"firewall\" plugin with \"bridge\"");
  const std::string& name = result.interfaces[0].name;
  if (name.empty()) return refuse("got empty bridge name");
  if (!is_valid_link_name(name)) return refuse(in_quotes(name) + " is no name of a bridge");
  return name;
}

}  // namespace weft::cni
