#include "cni/plugins/static_config.h"

#include <algorithm>

#include "base/text.h"
#include "cni/arguments.h"
#include "cni/ipam_config.h"
#include "cni/json_reading.h"

namespace weft::cni {
namespace {

using Address = StaticConfig::Address;

CniFailure no_cidr(const std::string& what, const std::string& text) {
  return refuse(what + " in CIDR notation, got: '" + text + "'");
}

CniResult<std::vector<Address>> read_configured(ObjectReader& ipam) {
  std::vector<Address> addresses;
  const Json* list = ipam.array("addresses");
  if (list == nullptr) return addresses;
  for (const auto& entry : *list) {
    ObjectReader reader(entry, "ipam.addresses");
    std::string text;
    Address address;
    reader.read("address", text);
    read_ip(reader, "gateway", address.gateway);
    RETURN_IF_ERROR(reader.finish());
    const auto parsed = InterfaceAddress::parse(text);
    if (!parsed) return no_cidr("the 'address' field is expected to be", text);
    address.address = *parsed;
    addresses.push_back(address);
  }
  return addresses;
}

// A gateway belongs to the address whose network holds it.
CniStatus assign_gateways(const std::string& list, std::vector<Address>& addresses) {
  for (const auto& item : split(list, ',')) {
    const auto gateway = parse_ip(trim(item));
    if (!gateway) return refuse("invalid gateway address: " + item);
    for (auto& address : addresses)
      if (address.address.network().contains(*gateway)) address.gateway = gateway;
  }
  return {};
}

CniResult<std::vector<Address>> read_arguments(const Call& call) {
  ASSIGN_OR_RETURN(const Arguments arguments,
                   parse_arguments(call.environment.args, {"IP", "GATEWAY"}));
  std::vector<Address> addresses;
  if (const auto given = arguments.find("IP"); given != arguments.end() && !given->second.empty())
    for (const auto& item : split(given->second, ',')) {
      const std::string text(trim(item));
      const auto parsed = InterfaceAddress::parse(text);
      if (!parsed) return no_cidr("the 'ip' field is expected to be", text);
      addresses.push_back({.address = *parsed});
    }
  if (const auto given = arguments.find("GATEWAY");
      given != arguments.end() && !given->second.empty())
    RETURN_IF_ERROR(assign_gateways(given->second, addresses));
  return addresses;
}

/// Replaces the addresses when the holder has any.
CniStatus replace_by_requested(const Json* holder, std::vector<Address>& addresses) {
  ASSIGN_OR_RETURN(const auto texts, read_requested_ips(holder));
  if (!texts.empty()) addresses.clear();
  for (const auto& text : texts) {
    const auto parsed = InterfaceAddress::parse(text);
    if (!parsed) return no_cidr("an entry in the 'ips' field is NOT", text);
    addresses.push_back({.address = *parsed});
  }
  return {};
}

CniStatus check_count(const std::vector<Address>& addresses, const std::string& version) {
  const auto ipv4 = static_cast<std::size_t>(
      std::count_if(addresses.begin(), addresses.end(),
                    [](const Address& address) { return address.address.address.is_v4(); }));
  return check_addresses_per_family(ipv4, addresses.size() - ipv4, version);
}

}  // namespace

CniResult<StaticConfig> read_static_config(const Call& call) {
  StaticConfig config;
  ASSIGN_OR_RETURN(const Json* ipam, ipam_object(call.config));
  ObjectReader inside(*ipam, "ipam");
  ObjectReader top(call.config, "network config");
  config.dns = read_dns(inside);
  ASSIGN_OR_RETURN(config.routes, read_routes(inside.array("routes"), "ipam.routes"));
  ASSIGN_OR_RETURN(auto arguments, read_arguments(call));
  const Json* args = top.object("args");
  RETURN_IF_ERROR(
      replace_by_requested(args ? find_member(*args, "cni") : nullptr, config.addresses));
  RETURN_IF_ERROR(replace_by_requested(top.object("runtimeConfig"), config.addresses));
  // What is replaced is not looked at.
  if (config.addresses.empty()) {
    ASSIGN_OR_RETURN(config.addresses, read_configured(inside));
    config.addresses.insert(config.addresses.end(), arguments.begin(), arguments.end());
  }
  RETURN_IF_ERROR(inside.finish());
  RETURN_IF_ERROR(top.finish());
  RETURN_IF_ERROR(check_count(config.addresses, call.version));
  return config;
}

}  // namespace weft::cni
