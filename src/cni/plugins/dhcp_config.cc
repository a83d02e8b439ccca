#include "cni/plugins/dhcp_config.h"

#include <array>
#include <utility>

#include "base/text.h"

namespace weft::cni {
namespace {

constexpr std::size_t kLongestOption = 255;

constexpr std::array<std::pair<std::string_view, DhcpOption>, 6> kNames{{
    {"dhcp-client-identifier", DhcpOption::kClient},
    {"subnet-mask", DhcpOption::kSubnetMask},
    {"routers", DhcpOption::kRouter},
    {"host-name", DhcpOption::kHostName},
    {"user-class", DhcpOption::kUserClass},
    {"vendor-class-identifier", DhcpOption::kVendorClass},
}};

CniResult<DhcpOption> parse_option(const std::string& text) {
  for (const auto& [name, option] : kNames)
    if (name == text) return option;
  const auto number = parse_number(text);
  if (number && *number <= kLongestOption) return static_cast<DhcpOption>(*number);
  return refuse("Can not parse option " + in_quotes(text) +
                ": it is neither a number up to 255 nor a name that is known");
}

// Not the strict parser of the protocol: others' arguments stand there too.
std::string argument(std::string_view args, const std::string& key) {
  for (const auto& pair : split(args, ';'))
    if (const auto equals = pair.find('='); pair.substr(0, equals) == key)
      return equals == std::string::npos ? "" : pair.substr(equals + 1);
  return {};
}

CniStatus read_provided(ObjectReader& ipam, std::string_view args, DhcpOptions& options) {
  const Json* list = ipam.array("provide");
  if (list == nullptr) return {};
  for (const Json& entry : *list) {
    ObjectReader reader(entry, "ipam.provide");
    std::string name;
    std::string value;
    std::string key;
    reader.read("option", name);
    reader.read("value", value);
    reader.read("fromArg", key);
    RETURN_IF_ERROR(reader.finish());
    ASSIGN_OR_RETURN(const DhcpOption option, parse_option(name));
    if (const std::string given = key.empty() ? "" : argument(args, key); !given.empty())
      value = given;
    if (value.size() > kLongestOption)
      return refuse("value too long for option " + in_quotes(name) + ": " + shown(value));
    if (!value.empty()) options[option] = value;
  }
  return {};
}

CniStatus read_requested(ObjectReader& ipam, DhcpOptions& options) {
  std::string wanted;
  bool with_usual = true;
  if (const Json* list = ipam.array("request"))
    for (const Json& entry : *list) {
      ObjectReader reader(entry, "ipam.request");
      std::string name;
      bool skip = false;
      reader.read("option", name);
      reader.read("skipDefault", skip);
      RETURN_IF_ERROR(reader.finish());
      if (skip) with_usual = false;
      if (name.empty()) continue;
      ASSIGN_OR_RETURN(const DhcpOption option, parse_option(name));
      wanted += static_cast<char>(option);
    }
  if (with_usual)
    for (const DhcpOption option : {DhcpOption::kRouter, DhcpOption::kSubnetMask})
      if (wanted.find(static_cast<char>(option)) == std::string::npos)
        wanted += static_cast<char>(option);
  if (!wanted.empty()) options[DhcpOption::kParameters] = wanted.substr(0, kLongestOption);
  return {};
}

}  // namespace

CniResult<DhcpConfig> read_dhcp_config(const Json& config, std::string_view args) {
  DhcpConfig result;
  ObjectReader top(config, "network config");
  const Json* ipam = top.object("ipam");
  RETURN_IF_ERROR(top.finish());
  if (ipam == nullptr) return refuse("IPAM config missing 'ipam' key");
  ObjectReader reader(*ipam, "ipam");
  std::string socket;
  reader.read("daemonSocketPath", socket);
  if (!socket.empty()) result.socket = socket;
  reader.read("priority", result.priority);
  RETURN_IF_ERROR(read_provided(reader, args, result.options));
  RETURN_IF_ERROR(read_requested(reader, result.options));
  RETURN_IF_ERROR(reader.finish());
  return result;
}

std::string dhcp_client_id(std::string_view container_id, std::string_view network,
                           std::string_view ifname) {
  constexpr std::size_t kLongest = 254;
  std::string id(container_id);
  id.append("/").append(network).append("/").append(ifname);
  return std::string(1, '\0') + id.substr(0, kLongest);
}

}  // namespace weft::cni
