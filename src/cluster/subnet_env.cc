#include "cluster/subnet_env.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace weft {
namespace {

constexpr const char* kNetwork = "FLANNEL_NETWORK";
constexpr const char* kSubnet = "FLANNEL_SUBNET";
constexpr const char* kIpv6Network = "FLANNEL_IPV6_NETWORK";
constexpr const char* kIpv6Subnet = "FLANNEL_IPV6_SUBNET";
constexpr const char* kMtu = "FLANNEL_MTU";
constexpr const char* kMasquerade = "FLANNEL_IPMASQ";

Failure malformed(const std::string& key, const std::string& value) {
  return fail("has a malformed " + key + ": \"" + value.substr(0, 60) + "\"");
}

Result<std::vector<Prefix>> parse_networks(const std::string& key, const std::string& value,
                                           Family family) {
  std::vector<Prefix> networks;
  for (const auto& part : split(value, ',')) {
    const auto network = Prefix::parse(trim(part));
    if (!network || network->family() != family) return malformed(key, value);
    if (std::find(networks.begin(), networks.end(), *network) == networks.end())
      networks.push_back(*network);
  }
  return networks;
}

Status read_line(const std::string& key, const std::string& value, SubnetEnv& env) {
  const Family family = key == kIpv6Network || key == kIpv6Subnet ? Family::kIpv6 : Family::kIpv4;
  if (key == kNetwork || key == kIpv6Network) {
    ASSIGN_OR_RETURN(env.networks[family], parse_networks(key, value, family));
  } else if (key == kSubnet || key == kIpv6Subnet) {
    const auto subnet = Prefix::parse(value);
    if (!subnet || subnet->family() != family) return malformed(key, value);
    env.subnets[family] = *subnet;
  } else if (key == kMtu) {
    const auto mtu = parse_number(value);
    if (!mtu || *mtu == 0 || *mtu > std::numeric_limits<std::uint16_t>::max())
      return malformed(key, value);
    env.mtu = static_cast<std::uint32_t>(*mtu);
  } else if (key == kMasquerade) {
    // Anything but "true" counts as false, as flannel's plugin has it.
    env.masquerade = value == "true";
  }
  return {};
}

std::string first_host(const Prefix& subnet) {
  // A subnet has four addresses at least, so there is a next one.
  return subnet.address().plus(1).value_or(subnet.address()).to_string() + "/" +
         std::to_string(subnet.length());
}

}  // namespace

std::string SubnetEnv::to_text() const {
  std::string text;
  const auto line = [&](const char* key, const std::string& value) {
    text += std::string(key) + "=" + value + "\n";
  };
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const bool v4 = family == Family::kIpv4;
    if (const auto found = networks.find(family); found != networks.end())
      line(v4 ? kNetwork : kIpv6Network, found->second.front().to_string());
    if (const auto found = subnets.find(family); found != subnets.end())
      line(v4 ? kSubnet : kIpv6Subnet, first_host(found->second));
  }
  line(kMtu, std::to_string(mtu));
  line(kMasquerade, masquerade ? "true" : "false");
  return text;
}

Result<SubnetEnv> SubnetEnv::parse(std::string_view text) {
  SubnetEnv env;
  bool masquerade_given = false;
  for (const auto& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    const auto equals = line.find('=');
    const std::string key(trim(line.substr(0, equals)));
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1);
    RETURN_IF_ERROR(read_line(key, std::string(trim(value)), env));
    masquerade_given = masquerade_given || key == kMasquerade;
  }
  std::string missing;
  const auto lacks = [&](const char* key) {
    missing += (missing.empty() ? "" : ", ") + std::string(key);
  };
  if (env.networks.empty()) lacks(kNetwork), lacks(kIpv6Network);
  if (env.subnets.empty()) lacks(kSubnet), lacks(kIpv6Subnet);
  if (env.mtu == 0) lacks(kMtu);
  if (!masquerade_given) lacks(kMasquerade);
  if (!missing.empty()) return fail("is missing " + missing);
  return env;
}

LeaseKey SubnetEnv::lease_key() const {
  LeaseKey key;
  if (const auto found = subnets.find(Family::kIpv4); found != subnets.end())
    key.ipv4 = found->second;
  if (const auto found = subnets.find(Family::kIpv6); found != subnets.end())
    key.ipv6 = found->second;
  return key;
}

std::string agent_name(const std::string& subnet_file) {
  std::string name = subnet_file.substr(subnet_file.rfind('/') + 1);
  if (name.ends_with(".env")) name.resize(name.size() - 4);
  return name == "subnet" ? "" : name;
}

std::string beside_subnet_file(const std::string& subnet_file, const std::string& name) {
  const std::string agent = agent_name(subnet_file);
  return subnet_file.substr(0, subnet_file.rfind('/') + 1) + (agent.empty() ? "" : agent + ".") +
         name;
}

}  // namespace weft
