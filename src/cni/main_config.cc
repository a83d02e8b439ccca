#include "cni/main_config.h"

#include "cni/arguments.h"

namespace weft::cni {
namespace {

std::string mac_of(const Json* object) {
  std::string mac;
  if (object != nullptr && object->is_object()) ObjectReader(*object, "mac").read("mac", mac);
  return mac;
}

const Json* args_of_cni(const Json& config) {
  const Json* args = find_member(config, "args");
  return args == nullptr ? nullptr : find_member(*args, "cni");
}

CniResult<std::string> mac_from(MacSource source, const Call& call) {
  switch (source) {
    case MacSource::kConfig:
      return mac_of(&call.config);
    case MacSource::kArgs:
      return mac_of(args_of_cni(call.config));
    case MacSource::kRuntime:
      return mac_of(find_member(call.config, "runtimeConfig"));
    case MacSource::kVariable:
      break;
  }
  ASSIGN_OR_RETURN(const Arguments arguments, parse_arguments(call.environment.args, {"MAC"}));
  const auto given = arguments.find("MAC");
  return given == arguments.end() ? std::string() : given->second;
}

}  // namespace

CniResult<std::string> read_ipam_type(ObjectReader& config) {
  std::string type;
  const Json* ipam = config.object("ipam");
  if (ipam == nullptr) return type;
  ObjectReader inside(*ipam, "failed to load netconf: ipam");
  inside.read("type", type);
  RETURN_IF_ERROR(inside.finish());
  return type;
}

std::optional<Dns> read_dns_if_told(ObjectReader& config) {
  const Dns dns = read_dns(config);
  const Json* json = config.object("dns");
  if (json == nullptr) return std::nullopt;
  for (const char* list : {"nameservers", "search", "options"})
    if (const Json* member = find_member(*json, list); member != nullptr && !member->is_null())
      return dns;
  return dns.domain.empty() ? std::nullopt : std::optional(dns);
}

CniResult<std::optional<MacAddress>> read_mac(const Call& call,
                                              std::initializer_list<MacSource> sources) {
  std::string mac;
  for (const MacSource source : sources) {
    ASSIGN_OR_RETURN(const std::string given, mac_from(source, call));
    if (!given.empty()) mac = given;
  }
  if (mac.empty()) return std::optional<MacAddress>();
  const auto parsed = MacAddress::parse(mac);
  if (!parsed) return refuse("address " + mac + ": invalid MAC address");
  return parsed;
}

CniStatus check_masquerade_backend(const std::string& backend) {
  if (backend.empty() || backend == "iptables" || backend == "nftables") return {};
  return refuse("unknown ipmasq backend " + in_quotes(backend));
}

bool may_be_set(const Json& config, std::string_view key) {
  const Json* member = find_member(config, key);
  return member != nullptr && !(member->is_boolean() && !member->get<bool>());
}

}  // namespace weft::cni
