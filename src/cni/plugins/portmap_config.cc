#include "cni/plugins/portmap_config.h"

#include <algorithm>
#include <limits>

#include "cni/json_reading.h"
#include "net/iptables_rule.h"

namespace weft::cni {
namespace {

using Backend = PortmapConfig::Backend;

constexpr int kLastMarkBit = 31;
constexpr std::size_t kLongestChain = 28;

const char* name_of(Backend backend) {
  return backend == Backend::kIptables ? "iptables" : "nftables";
}

CniResult<std::uint16_t> port(int number, const char* whose) {
  if (number <= 0 || number > std::numeric_limits<std::uint16_t>::max())
    return refuse("Invalid " + std::string(whose) + " port number: " + std::to_string(number));
  return static_cast<std::uint16_t>(number);
}

CniResult<PortMapping> read_mapping(const Json& json) {
  int host_port = 0;
  int container_port = 0;
  std::string protocol;
  PortMapping mapping;
  ObjectReader reader(json, "failed to parse network configuration: portMappings");
  reader.read("hostPort", host_port);
  reader.read("containerPort", container_port);
  reader.read("protocol", protocol);
  read_ip(reader, "hostIP", mapping.host_ip);
  RETURN_IF_ERROR(reader.finish());
  ASSIGN_OR_RETURN(mapping.container_port, port(container_port, "container"));
  ASSIGN_OR_RETURN(mapping.host_port, port(host_port, "host"));
  const auto known = iptables::parse_protocol(protocol);
  if (!known)
    return refuse(
        Code::kInvalidNetworkConfig,
        "unknown protocol " + in_quotes(protocol) + " of host port " + std::to_string(host_port),
        "tcp, udp and sctp are known");
  mapping.protocol = *known;
  return mapping;
}

CniStatus read_mappings(ObjectReader& reader, PortmapConfig& config) {
  const Json* runtime = reader.object("runtimeConfig");
  if (runtime == nullptr) return {};
  ObjectReader inside(*runtime, "failed to parse network configuration: runtimeConfig");
  if (const Json* list = inside.array("portMappings"))
    for (const auto& entry : *list) {
      ASSIGN_OR_RETURN(const PortMapping mapping, read_mapping(entry));
      config.mappings.push_back(mapping);
    }
  RETURN_IF_ERROR(inside.finish());
  return {};
}

CniStatus read_mark(ObjectReader& reader, PortmapConfig& config) {
  std::optional<int> bit;
  std::optional<std::string> chain;
  reader.read("markMasqBit", bit);
  reader.read("externalSetMarkChain", chain);
  if (bit && chain) return refuse("Cannot specify externalSetMarkChain and markMasqBit");
  if (bit && (*bit < 0 || *bit > kLastMarkBit))
    return refuse("MasqMarkBit must be between 0 and 31");
  if (bit) config.mark = 1U << static_cast<unsigned>(*bit);
  if (!chain) return {};
  if (chain->empty() || chain->size() > kLongestChain ||
      chain->find_first_of(" \t\n\"'\\") != std::string::npos || chain->front() == '-')
    return refuse(in_quotes(*chain) + " is no name of a chain of iptables");
  config.external_mark_chain = *chain;
  return {};
}

// Conditions of iptables begin with a hyphen or an exclamation mark, and none of nftables do.
std::optional<Backend> backend_of(const std::vector<std::string>& conditions) {
  if (conditions.empty() || conditions[0].empty()) return std::nullopt;
  const char first = conditions[0][0];
  return first == '-' || first == '!' ? Backend::kIptables : Backend::kNftables;
}

CniStatus read_conditions(ObjectReader& reader, const char* key, std::vector<std::string>& words) {
  reader.read(key, words);
  const bool has_line_end = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.find_first_of("\r\n") != std::string::npos;
  });
  if (has_line_end) return refuse(std::string(key) + " has a line end in it");
  return {};
}

CniStatus read_backend(ObjectReader& reader, PortmapConfig& config) {
  std::optional<std::string> name;
  reader.read("backend", name);
  if (!name) return {};
  for (const Backend backend : {Backend::kIptables, Backend::kNftables})
    if (*name == name_of(backend)) config.backend = backend;
  if (!config.backend) return refuse("unrecognized backend " + in_quotes(*name));
  return {};
}

// Options that only one of them has.
CniStatus check_backend(const PortmapConfig& config) {
  const Backend backend = config.backend.value_or(Backend::kIptables);
  const Backend other = backend == Backend::kIptables ? Backend::kNftables : Backend::kIptables;
  std::string wrong;
  const auto note = [&](const char* key) {
    wrong += (wrong.empty() ? "" : " ") + std::string(key);
  };
  if (other == Backend::kIptables && !config.external_mark_chain.empty())
    note("externalSetMarkChain");
  if (backend_of(config.conditions_v4) == other) note("conditionsV4");
  if (backend_of(config.conditions_v6) == other) note("conditionsV6");
  if (wrong.empty()) return {};
  return refuse(std::string(name_of(backend)) +
                " backend was requested but configuration contains " + name_of(other) +
                "-specific options [" + wrong + "]");
}

}  // namespace

CniResult<PortmapConfig> read_portmap_config(const Call& call) {
  PortmapConfig config;
  ObjectReader reader(call.config, "failed to parse network configuration");
  reader.read("snat", config.snat);
  reader.read("masqAll", config.masquerade_all);
  RETURN_IF_ERROR(read_mark(reader, config));
  RETURN_IF_ERROR(read_backend(reader, config));
  RETURN_IF_ERROR(read_conditions(reader, "conditionsV4", config.conditions_v4));
  RETURN_IF_ERROR(read_conditions(reader, "conditionsV6", config.conditions_v6));
  RETURN_IF_ERROR(read_mappings(reader, config));
  RETURN_IF_ERROR(reader.finish());
  return config;
}

CniStatus settle_backend(PortmapConfig& config, bool has_iptables) {
  if (!config.backend) config.backend = has_iptables ? Backend::kIptables : Backend::kNftables;
  return check_backend(config);
}

std::vector<InterfaceAddress> container_addresses(const AddResult& result,
                                                  const std::string& ifname) {
  std::vector<InterfaceAddress> addresses;
  for (const auto& ip : result.ips) {
    const auto same = [&](const InterfaceAddress& other) {
      return other.address.family() == ip.address.address.family();
    };
    if (std::any_of(addresses.begin(), addresses.end(), same)) continue;
    const auto index = static_cast<std::size_t>(ip.interface.value_or(-1));
    if (ip.interface && *ip.interface >= 0 && index < result.interfaces.size()) {
      const auto& interface = result.interfaces[index];
      if (interface.name != ifname || interface.sandbox.empty()) continue;
    }
    addresses.push_back(ip.address);
  }
  return addresses;
}

}  // namespace weft::cni
