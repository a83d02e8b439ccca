#include "cni/plugins/subnet_env.h"

#include <algorithm>

#include "base/text.h"

namespace weft::cni {
namespace {

/// Which keys were met, and what they said.
struct Reading {
  SubnetEnv env = {};
  bool has_mtu = false;
  bool has_ip_masq = false;
};

bool parse_networks(std::string_view value, Family family, std::vector<Prefix>& networks) {
  networks.clear();
  for (const auto& text : split(value, ',')) {
    const auto network = Prefix::parse(text);
    if (!network || network->family() != family) return false;
    if (std::find(networks.begin(), networks.end(), *network) == networks.end())
      networks.push_back(*network);
  }
  return true;
}

bool parse_subnet(std::string_view value, Family family, std::optional<Prefix>& subnet) {
  subnet = Prefix::parse(value);
  return subnet && subnet->family() == family;
}

bool parse_mtu(std::string_view value, Reading& reading) {
  const auto mtu = parse_number(value);
  if (!mtu || *mtu > UINT32_MAX) return false;
  reading.env.mtu = static_cast<std::uint32_t>(*mtu);
  reading.has_mtu = true;
  return true;
}

// False when the value of a known key cannot be read.
bool read_line(std::string_view key, std::string_view value, Reading& reading) {
  SubnetEnv& env = reading.env;
  if (key == "FLANNEL_NETWORK") return parse_networks(value, Family::kIpv4, env.ipv4_networks);
  if (key == "FLANNEL_IPV6_NETWORK") return parse_networks(value, Family::kIpv6, env.ipv6_networks);
  if (key == "FLANNEL_SUBNET") return parse_subnet(value, Family::kIpv4, env.ipv4_subnet);
  if (key == "FLANNEL_IPV6_SUBNET") return parse_subnet(value, Family::kIpv6, env.ipv6_subnet);
  if (key == "FLANNEL_MTU") return parse_mtu(value, reading);
  if (key == "FLANNEL_IPMASQ") {
    env.ip_masq = value == "true";
    reading.has_ip_masq = true;
  }
  return true;
}

std::string missing(const Reading& reading) {
  const SubnetEnv& env = reading.env;
  std::string keys;
  const auto miss = [&](const char* key) { keys += (keys.empty() ? "" : ", ") + std::string(key); };
  if (env.ipv4_networks.empty() && env.ipv6_networks.empty()) {
    miss("FLANNEL_NETWORK");
    miss("FLANNEL_IPV6_NETWORK");
  }
  if (!env.ipv4_subnet && !env.ipv6_subnet) {
    miss("FLANNEL_SUBNET");
    miss("FLANNEL_IPV6_SUBNET");
  }
  if (!reading.has_mtu) miss("FLANNEL_MTU");
  if (!reading.has_ip_masq) miss("FLANNEL_IPMASQ");
  return keys;
}

}  // namespace

Result<SubnetEnv> parse_subnet_env(std::string_view text, const std::string& name) {
  Reading reading;
  for (const auto& line : split(text, '\n')) {
    std::string_view bare = line;
    if (!bare.empty() && bare.back() == '\r') bare.remove_suffix(1);
    const auto end = bare.find('=');
    const std::string_view key = bare.substr(0, end);
    const std::string_view value =
        end == std::string_view::npos ? std::string_view() : bare.substr(end + 1);
    if (!read_line(key, value, reading))
      return fail(name + ": " + std::string(key) + ": cannot read \"" + std::string(value) + "\"");
  }
  if (const std::string keys = missing(reading); !keys.empty())
    return fail(name + " is missing " + keys);
  return reading.env;
}

}  // namespace weft::cni
