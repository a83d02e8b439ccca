#include "cluster/docker_options.h"

#include <utility>

#include "base/text.h"

namespace weft {
namespace {

constexpr std::string_view kOption = "DOCKER_OPT_";

Failure invalid(const std::string& key, const std::string& value) {
  return fail("Invalid value of " + key + ": " + value);
}

std::map<std::string, std::string> read_lines(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const auto& line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string::npos)
      values[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  }
  return values;
}

bool is_name(const std::string& text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !text.empty() && text.find_first_not_of(kLetters) == std::string::npos &&
         (text[0] < '0' || text[0] > '9');
}

}  // namespace

Result<DockerOptions> docker_options(std::string_view subnet_env, const DockerOptionsFlags& flags,
                                     const std::map<std::string, std::string>& environment) {
  if (!is_name(flags.key)) return fail("\"" + flags.key + "\" is no name of a variable");
  const auto values = read_lines(subnet_env);
  std::map<std::string, std::string> options;  // as the shell's `set` lists them: by name
  for (const auto& [name, value] : environment)
    if (name.compare(0, kOption.size(), kOption) == 0) options[name] = value;
  DockerOptions result;
  if (const auto subnet = values.find("FLANNEL_SUBNET"); subnet != values.end()) {
    const auto address = InterfaceAddress::parse(subnet->second);
    if (!address || !address->address.is_v4()) return invalid("FLANNEL_SUBNET", subnet->second);
    options["DOCKER_OPT_BIP"] = "--bip=" + address->to_string();
    result.subnet = address->network();
  }
  if (const auto mtu = values.find("FLANNEL_MTU"); mtu != values.end()) {
    if (!parse_number(mtu->second)) return invalid("FLANNEL_MTU", mtu->second);
    options["DOCKER_OPT_MTU"] = "--mtu=" + mtu->second;
  }
  // Whoever masquerades, it is one of the two.
  const auto masquerade = values.find("FLANNEL_IPMASQ");
  if (flags.masquerade && masquerade != values.end()) {
    if (masquerade->second != "true" && masquerade->second != "false")
      return invalid("FLANNEL_IPMASQ", masquerade->second);
    options["DOCKER_OPT_IPMASQ"] =
        std::string("--ip-masq=") + (masquerade->second == "true" ? "false" : "true");
  }
  const bool both = !flags.individual && !flags.combined;
  const auto before = environment.find(flags.key);
  std::string all =
      before == environment.end() || before->second.empty() ? "" : before->second + " ";
  for (const auto& [name, value] : options) {
    if (both || flags.individual)
      result.text.append(name).append("=\"").append(value).append("\"\n");
    all.append(" ").append(value);
  }
  if (both || flags.combined) result.text += flags.key + "=\"" + all + "\"\n";
  return result;
}

}  // namespace weft
