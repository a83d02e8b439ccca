#include "service/iptables_names.h"

#include <algorithm>
#include <array>

#include "base/sha2.h"
#include "net/iptables_rule.h"

namespace weft::service {
namespace {

using namespace chains;

constexpr std::array kPrefixes{chain_prefix::kCluster,  chain_prefix::kLocal,
                               chain_prefix::kExternal, chain_prefix::kFirewall,
                               chain_prefix::kEndpoint, chain_prefix::kOldLocal};
constexpr std::array<std::string_view, 6> kOfFilter{kServices, kExternalServices, kNodePorts,
                                                    kForward,  kProxyFirewall,    kCanary};
constexpr std::array<std::string_view, 5> kOfNat{kServices, kNodePorts, kPostrouting,
                                                 kMarkMasquerade, kCanary};

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The front of the SHA-256 in base32 (RFC 4648): names of chains have 28 characters at most.
std::string hash_of(const std::string& text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::size_t kCharacters = 16;
  const auto digest = sha256(text);
  std::string name;
  for (std::size_t i = 0; i < kCharacters; ++i) {
    const std::size_t bit = 5 * i;
    // Five bits lie within two bytes.
    const unsigned pair = unsigned{digest[bit / 8]} << 8U | digest[bit / 8 + 1];
    name += kAlphabet[pair >> (11 - bit % 8) & 31U];
  }
  return name;
}

}  // namespace

bool is_port_chain(std::string_view name) {
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool is_proxy_chain(std::string_view table, std::string_view name) {
  if (table == "filter") return has(kOfFilter, name);
  if (table == "nat") return has(kOfNat, name) || is_port_chain(name);
  return name == kCanary;
}

std::string port_name(const ServiceName& service, const PortPlan& port) {
  return service.to_string() + (port.name.empty() ? "" : ":" + port.name);
}

std::string_view protocol_word(ServiceProtocol protocol) {
  return iptables::to_string(static_cast<nft::L4Protocol>(protocol));
}

std::string place_word(const EndpointRecord& endpoint) {
  const std::string address = endpoint.address.to_string();
  return (endpoint.address.is_v4() ? address : "[" + address + "]") + ":" +
         std::to_string(endpoint.port);
}

std::string port_chain(std::string_view prefix, const std::string& port, ServiceProtocol protocol) {
  return std::string(prefix) + hash_of(port + std::string(protocol_word(protocol)));
}

std::string endpoint_chain(const std::string& port, ServiceProtocol protocol,
                           const EndpointRecord& endpoint) {
  return std::string(chain_prefix::kEndpoint) +
         hash_of(port + std::string(protocol_word(protocol)) + place_word(endpoint));
}

}  // namespace weft::service
