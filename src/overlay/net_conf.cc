#include "overlay/net_conf.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.h"
#include "base/text.h"

namespace weft::overlay {
namespace {

// The names of one family's keys, and its limits (config.go: CheckNetworkConfig).
struct FamilyKeys {
  Family family;
  const char* network;
  const char* length;
  const char* min;
  const char* max;
  std::uint8_t longest_subnet;   // SubnetLen may not be longer
  std::uint8_t longest_network;  // without SubnetLen the network may not be longer
  std::uint8_t roomy_network;    // up to this length the usual subnet length is taken
  std::uint8_t usual_subnet;
};

constexpr std::array<FamilyKeys, 2> kFamilies{{
    {Family::kIpv4, "Network", "SubnetLen", "SubnetMin", "SubnetMax", 30, 28, 22, 24},
    {Family::kIpv6, "IPv6Network", "IPv6SubnetLen", "IPv6SubnetMin", "IPv6SubnetMax", 126, 124, 62,
     64},
}};

Failure wrong(const char* key, const std::string& reason) {
  return fail("net-conf.json: " + std::string(key) + ": " + reason,
              "correct the network configuration and start again");
}

Result<std::uint8_t> choose_subnet_length(const FamilyKeys& keys, const Prefix& network,
                                          int configured) {
  if (configured < 0) return wrong(keys.length, "must not be negative");
  if (configured == 0) {
    if (network.length() > keys.longest_network)
      return wrong(keys.network, "a network longer than /" + std::to_string(keys.longest_network) +
                                     " has no room for a subnet a node");
    return network.length() <= keys.roomy_network ? keys.usual_subnet
                                                  : static_cast<std::uint8_t>(network.length() + 2);
  }
  if (configured > keys.longest_subnet)
    return wrong(keys.length, "must be /" + std::to_string(keys.longest_subnet) + " or shorter");
  if (configured < network.length() + 2)
    return wrong(keys.length,
                 "must leave room for at least four subnets in " + network.to_string());
  return static_cast<std::uint8_t>(configured);
}

// SubnetMin or SubnetMax, or its default.
Result<Prefix> choose_bound(const FamilyKeys& keys, const char* key, const Prefix& network,
                            std::uint8_t length, const std::string& configured,
                            const Prefix& otherwise) {
  if (configured.empty()) return otherwise;
  const auto address = IpAddress::parse(configured);
  if (!address || address->family() != keys.family)
    return wrong(
        key, "\"" + configured + "\" is no " + std::string(to_string(keys.family)) + " address");
  if (!network.contains(*address))
    return wrong(key, configured + " is not in " + network.to_string());
  const Prefix bound(*address, length);
  if (bound.address() != *address)
    return wrong(key, configured + " is not the start of a /" + std::to_string(length));
  return bound;
}

Result<PodNetwork> read_network(const Json& json, const FamilyKeys& keys) {
  ObjectReader reader(json, "net-conf.json");
  std::string network_text;
  std::string min_text;
  std::string max_text;
  int configured_length = 0;
  reader.read(keys.network, network_text);
  reader.read(keys.length, configured_length);
  reader.read(keys.min, min_text);
  reader.read(keys.max, max_text);
  RETURN_IF_ERROR(reader.finish());

  if (network_text.empty()) return wrong(keys.network, "is missing");
  const auto network = Prefix::parse(network_text);
  // flannel takes an IPv4 CIDR for IPv6Network and fails much later.
  if (!network || network->family() != keys.family)
    return wrong(keys.network, "\"" + network_text + "\" is no " +
                                   std::string(to_string(keys.family)) + " network");
  ASSIGN_OR_RETURN(const std::uint8_t length,
                   choose_subnet_length(keys, *network, configured_length));
  // The first subnet is skipped, so that no subnet's address is the network's own.
  const Prefix second = Prefix(network->address(), length).next().value();
  const Prefix final(network->last(), length);
  PodNetwork result{.network = *network, .subnet_length = length, .first = {}, .last = {}};
  ASSIGN_OR_RETURN(result.first, choose_bound(keys, keys.min, *network, length, min_text, second));
  ASSIGN_OR_RETURN(result.last, choose_bound(keys, keys.max, *network, length, max_text, final));
  // Unchecked by flannel, which then reports "out of subnets".
  if (result.last < result.first)
    return wrong(keys.max, result.last.address().to_string() + " comes before " + keys.min + " " +
                               result.first.address().to_string());
  return result;
}

Result<Backend> read_vxlan(ObjectReader& reader) {
  constexpr std::uint32_t kLargestVni = (1U << 24U) - 1;
  VxlanBackend backend;
  std::uint32_t vni = 1;
  std::uint32_t port = 0;
  reader.read("VNI", vni);
  reader.read("Port", port);
  reader.read("MTU", backend.mtu);
  reader.read("GBP", backend.gbp);
  reader.read("Learning", backend.learning);
  reader.read("DirectRouting", backend.direct_routing);
  if (vni > kLargestVni) reader.reject("VNI", "must fit 24 bits");
  if (port > 0xffff) reader.reject("Port", "must be below 65536");
  // RFC 8200 section 5: a link that carries IPv6 takes 1280 bytes; IPv4 alone needs 576.
  constexpr std::uint32_t kSmallestMtu = 576 + 70;
  if (backend.mtu != 0 && backend.mtu < kSmallestMtu)
    reader.reject("MTU", "must be at least " + std::to_string(kSmallestMtu));
  RETURN_IF_ERROR(reader.finish());
  backend.vni = Vni{vni};
  backend.port = static_cast<std::uint16_t>(port);
  return backend;
}

Result<Backend> read_udp(ObjectReader& reader) {
  UdpBackend backend;
  std::uint32_t port = backend.port;
  reader.read("Port", port);
  if (port == 0 || port > 0xffff) reader.reject("Port", "must be between 1 and 65535");
  RETURN_IF_ERROR(reader.finish());
  backend.port = static_cast<std::uint16_t>(port);
  return backend;
}

Status read_command(const Json& backend, const char* key, CommandTemplate& target) {
  const Json* member = find_member(backend, key);
  if (member == nullptr || member->is_null()) return {};
  const std::string where = std::string("Backend: ") + key;
  Result<CommandTemplate> command = fail("expected a text or an array of texts");
  if (member->is_string()) {
    command = CommandTemplate::parse(member->get_ref<const std::string&>());
  } else if (member->is_array() && std::all_of(member->begin(), member->end(),
                                               [](const Json& word) { return word.is_string(); })) {
    command = CommandTemplate::of_words(member->get<std::vector<std::string>>());
  }
  if (!command) {
    const Error& error = command.error();
    return fail(
        "net-conf.json: " + where + ": " + error.what,
        error.next.empty() ? "correct the network configuration and start again" : error.next);
  }
  target = *std::move(command);
  return {};
}

Result<Backend> read_extension(const Json& backend) {
  ExtensionBackend result;
  RETURN_IF_ERROR(read_command(backend, "PreStartupCommand", result.pre_startup));
  RETURN_IF_ERROR(read_command(backend, "PostStartupCommand", result.post_startup));
  RETURN_IF_ERROR(read_command(backend, "SubnetAddCommand", result.subnet_add));
  RETURN_IF_ERROR(read_command(backend, "SubnetRemoveCommand", result.subnet_remove));
  return result;
}

Result<Backend> read_backend(const Json& json) {
  ObjectReader outer(json, "net-conf.json");
  const Json* object = outer.object("Backend");
  RETURN_IF_ERROR(outer.finish());
  // flannel's code takes udp when there is no Backend; its documentation says vxlan.
  std::string type = "udp";
  if (object != nullptr) {
    ObjectReader reader(*object, "net-conf.json: Backend");
    type.clear();
    reader.read("Type", type);
    RETURN_IF_ERROR(reader.finish());
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (type == "vxlan") return read_vxlan(reader);
    if (type == "host-gw") return HostGwBackend{};
    if (type == "udp") return read_udp(reader);
    if (type == "alloc") return AllocBackend{};
    if (type == "extension") return read_extension(*object);
  }
  if (object == nullptr) return UdpBackend{};
  return wrong("Backend",
               "this build has no backend \"" + type +
                   "\", only vxlan, host-gw, udp, alloc and extension" +
                   did_you_mean(type, {"vxlan", "host-gw", "udp", "alloc", "extension"}));
}

}  // namespace

std::string_view backend_name(const Backend& backend) {
  struct Name {
    std::string_view operator()(const VxlanBackend&) const { return "vxlan"; }
    std::string_view operator()(const HostGwBackend&) const { return "host-gw"; }
    std::string_view operator()(const UdpBackend&) const { return "udp"; }
    std::string_view operator()(const AllocBackend&) const { return "alloc"; }
    std::string_view operator()(const ExtensionBackend&) const { return "extension"; }
  };
  return std::visit(Name(), backend);
}

std::string_view backend_type(const Backend& backend) {
  const bool silent =
      std::holds_alternative<UdpBackend>(backend) || std::holds_alternative<AllocBackend>(backend);
  return silent ? "" : backend_name(backend);
}

Result<NetConf> NetConf::parse(std::string_view text) {
  auto json = parse_json(text);
  if (!json)
    return fail("net-conf.json is no JSON: " + json.error().what,
                "correct the network configuration and start again");
  std::map<Family, bool> enabled{{Family::kIpv4, true}, {Family::kIpv6, false}};
  NetConf conf;
  ObjectReader reader(*json, "net-conf.json");
  reader.read("EnableIPv4", enabled[Family::kIpv4]);
  reader.read("EnableIPv6", enabled[Family::kIpv6]);
  reader.read("EnableNFTables", conf.nftables);
  RETURN_IF_ERROR(reader.finish());
  for (const auto& keys : kFamilies) {
    if (!enabled[keys.family]) continue;
    ASSIGN_OR_RETURN(conf.networks[keys.family], read_network(*json, keys));
  }
  if (conf.networks.empty()) return wrong("EnableIPv4", "neither IPv4 nor IPv6 is enabled");
  ASSIGN_OR_RETURN(conf.backend, read_backend(*json));
  if (std::holds_alternative<UdpBackend>(conf.backend) && !enabled[Family::kIpv4])
    return wrong("Backend", "udp carries IPv4 only, and EnableIPv4 is false; take vxlan");
  return conf;
}

}  // namespace weft::overlay
