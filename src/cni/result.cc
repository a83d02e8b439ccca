#include "cni/result.h"

#include <algorithm>

#include "cni/json_reading.h"
#include "cni/version.h"

namespace weft::cni {
namespace {

template <class Value>
void put_unless_empty(Json& object, const char* key, const Value& value) {
  if (value != Value{}) object[key] = value;
}

Json encode_dns(const Dns& dns) {
  Json json = Json::object();
  put_unless_empty(json, "nameservers", dns.nameservers);
  put_unless_empty(json, "domain", dns.domain);
  put_unless_empty(json, "search", dns.search);
  put_unless_empty(json, "options", dns.options);
  return json;
}

Json encode_interface(const ResultInterface& interface, bool extended) {
  Json json = Json::object();
  json["name"] = interface.name;
  put_unless_empty(json, "mac", interface.mac);
  if (extended) put_unless_empty(json, "mtu", interface.mtu);
  put_unless_empty(json, "sandbox", interface.sandbox);
  if (!extended) return json;
  put_unless_empty(json, "socketPath", interface.socket_path);
  put_unless_empty(json, "pciID", interface.pci_id);
  return json;
}

Json encode_ip(const ResultIp& ip, bool with_version) {
  Json json = Json::object();
  if (with_version) json["version"] = ip.address.address.is_v4() ? "4" : "6";
  if (ip.interface) json["interface"] = *ip.interface;
  json["address"] = ip.address.to_string();
  if (ip.gateway) json["gateway"] = ip.gateway->to_string();
  return json;
}

Json encode_route(const ResultRoute& route) {
  Json json = Json::object();
  json["dst"] = route.destination.to_string();
  if (route.gateway) json["gw"] = route.gateway->to_string();
  put_unless_empty(json, "mtu", route.mtu);
  put_unless_empty(json, "advmss", route.advmss);
  put_unless_empty(json, "priority", route.priority);
  if (route.table) json["table"] = *route.table;
  if (route.scope) json["scope"] = *route.scope;
  return json;
}

Json encode_with_lists(const AddResult& result, SpecVersion version) {
  const bool newest = version >= kFirstWithoutIpVersion;
  Json json = Json::object();
  for (const auto& interface : result.interfaces)
    json["interfaces"].push_back(encode_interface(interface, newest));
  for (const auto& ip : result.ips) json["ips"].push_back(encode_ip(ip, !newest));
  for (const auto& route : result.routes) json["routes"].push_back(encode_route(route));
  if (!newest || !result.dns.empty()) json["dns"] = encode_dns(result.dns);
  return json;
}

// Versions 0.1.0 and 0.2.0 have one address a family, with that family's routes inside.
CniResult<Json> encode_by_family(const AddResult& result) {
  Json json = Json::object();
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const auto first = std::find_if(result.ips.begin(), result.ips.end(), [&](const ResultIp& ip) {
      return ip.address.address.family() == family;
    });
    if (first == result.ips.end()) continue;
    Json part = Json::object();
    part["ip"] = first->address.to_string();
    if (first->gateway) part["gateway"] = first->gateway->to_string();
    for (const auto& route : result.routes) {
      if (route.destination.family() != family) continue;
      Json entry = Json::object();
      entry["dst"] = route.destination.to_string();
      if (route.gateway) entry["gw"] = route.gateway->to_string();
      part["routes"].push_back(entry);
    }
    json[family == Family::kIpv4 ? "ip4" : "ip6"] = part;
  }
  if (json.empty()) return refuse("cannot convert: no valid IP addresses");
  json["dns"] = encode_dns(result.dns);
  return json;
}

CniFailure no_such_version(std::string_view version) {
  return refuse("unsupported CNI result version " + in_quotes(version));
}

std::optional<SpecVersion> known_version(std::string_view text) {
  if (std::find(kAllVersions.begin(), kAllVersions.end(), text) == kAllVersions.end())
    return std::nullopt;
  return SpecVersion::parse(text);
}

CniResult<ResultInterface> decode_interface(const Json& json) {
  ObjectReader reader(json, "interfaces");
  ResultInterface interface;
  reader.read("name", interface.name);
  reader.read("mac", interface.mac);
  reader.read("sandbox", interface.sandbox);
  reader.read("mtu", interface.mtu);
  reader.read("socketPath", interface.socket_path);
  reader.read("pciID", interface.pci_id);
  RETURN_IF_ERROR(reader.finish());
  return interface;
}

CniResult<ResultIp> decode_ip(const Json& json, std::string_view address_key) {
  ObjectReader reader(json, "ips");
  ResultIp ip;
  std::optional<InterfaceAddress> address;
  read_cidr(reader, address_key, address);
  read_ip(reader, "gateway", ip.gateway);
  reader.read("interface", ip.interface);
  if (!address) reader.reject(address_key, "is missing");
  RETURN_IF_ERROR(reader.finish());
  ip.address = *address;
  return ip;
}

CniResult<ResultRoute> decode_route(const Json& json, const std::string& where) {
  ObjectReader reader(json, where);
  ResultRoute route;
  std::optional<InterfaceAddress> destination;
  read_cidr(reader, "dst", destination);
  read_ip(reader, "gw", route.gateway);
  reader.read("mtu", route.mtu);
  reader.read("advmss", route.advmss);
  reader.read("priority", route.priority);
  reader.read("table", route.table);
  reader.read("scope", route.scope);
  if (!destination) reader.reject("dst", "is missing");
  RETURN_IF_ERROR(reader.finish());
  route.destination = destination->network();
  return route;
}

CniStatus decode_family(const Json* json, AddResult& result) {
  if (json == nullptr) return {};
  ASSIGN_OR_RETURN(ResultIp ip, decode_ip(*json, "ip"));
  result.ips.push_back(std::move(ip));
  const Json* list = find_member(*json, "routes");
  ASSIGN_OR_RETURN(auto routes, read_routes(list, "routes"));
  result.routes.insert(result.routes.end(), routes.begin(), routes.end());
  return {};
}

CniStatus decode_lists(ObjectReader& reader, AddResult& result) {
  if (const Json* list = reader.array("interfaces"))
    for (const auto& entry : *list) {
      ASSIGN_OR_RETURN(ResultInterface interface, decode_interface(entry));
      result.interfaces.push_back(std::move(interface));
    }
  if (const Json* list = reader.array("ips"))
    for (const auto& entry : *list) {
      ASSIGN_OR_RETURN(ResultIp ip, decode_ip(entry, "address"));
      result.ips.push_back(std::move(ip));
    }
  ASSIGN_OR_RETURN(result.routes, read_routes(reader.array("routes"), "routes"));
  return {};
}

}  // namespace

CniResult<std::vector<ResultRoute>> read_routes(const Json* list, const std::string& where) {
  std::vector<ResultRoute> routes;
  if (list == nullptr || list->is_null()) return routes;
  if (!list->is_array()) return refuse(where + ": expected a list");
  for (const auto& entry : *list) {
    ASSIGN_OR_RETURN(ResultRoute route, decode_route(entry, where));
    routes.push_back(route);
  }
  return routes;
}

Dns read_dns(ObjectReader& reader) {
  Dns dns;
  const Json* json = reader.object("dns");
  if (json == nullptr) return dns;
  ObjectReader inside(*json, "dns");
  inside.read("nameservers", dns.nameservers);
  inside.read("domain", dns.domain);
  inside.read("search", dns.search);
  inside.read("options", dns.options);
  if (const auto status = inside.finish(); !status) reader.reject("dns", status.error().what);
  return dns;
}

CniResult<Json> encode_result(const AddResult& result, std::string_view version) {
  const auto known = known_version(version);
  if (!known) return no_such_version(version);
  Json json = Json::object();
  json["cniVersion"] = version;
  if (*known < kFirstWithInterfaces) {
    ASSIGN_OR_RETURN(const Json body, encode_by_family(result));
    json.update(body);
  } else {
    json.update(encode_with_lists(result, *known));
  }
  return json;
}

CniResult<AddResult> decode_result(const Json& json, std::string_view version) {
  ObjectReader reader(json, "result");
  std::string told;
  reader.read("cniVersion", told);
  RETURN_IF_ERROR(reader.finish());
  if (told.empty()) told = version;
  const auto known = known_version(told);
  if (!known) return no_such_version(told);
  AddResult result;
  if (*known < kFirstWithInterfaces) {
    RETURN_IF_ERROR(decode_family(reader.object("ip4"), result));
    RETURN_IF_ERROR(decode_family(reader.object("ip6"), result));
  } else {
    RETURN_IF_ERROR(decode_lists(reader, result));
  }
  result.dns = read_dns(reader);
  RETURN_IF_ERROR(reader.finish());
  return result;
}

CniResult<std::optional<AddResult>> previous_result(const Json& config, std::string_view version) {
  const Json* json = find_member(config, "prevResult");
  if (json == nullptr || json->is_null()) return std::optional<AddResult>();
  std::string told;
  if (const Json* member = find_member(*json, "cniVersion"); member && member->is_string())
    told = member->get<std::string>();
  if (!told.empty() && told != version)
    return refuse("could not parse prevResult: result type supports [" + std::string(version) +
                  "] but unmarshalled CNIVersion is " + in_quotes(told));
  auto result = decode_result(*json, version);
  if (!result) return because("could not parse prevResult", std::move(result).error());
  return std::optional<AddResult>(*std::move(result));
}

}  // namespace weft::cni
