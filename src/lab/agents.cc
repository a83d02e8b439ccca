#include "lab/agents.h"

#include <chrono>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/store.h"

namespace weft::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause(5);
constexpr std::chrono::seconds kPatience(15);

std::vector<std::string> agent_command(const Lab& lab, const Programs& programs) {
  std::vector<std::string> argv = {programs.weftd, "flanneld"};
  for (auto& flag : store_flags(lab)) argv.push_back(std::move(flag));
  argv.push_back("--iface=eth0");
  argv.push_back(lab.ip_masq ? "--ip-masq" : "--ip-masq=false");
  argv.push_back("--subnet-file=/run/flannel/subnet.env");
  return argv;
}

std::optional<Prefix> network_in(const std::string& value) {
  const auto address = InterfaceAddress::parse(value);
  return address ? std::optional(address->network()) : std::nullopt;
}

Result<SubnetEnv> wait_for_subnet(const NodeProgram& agent) {
  const auto deadline = steady_clock::now() + kPatience;
  for (;;) {
    const bool running = running_pid(agent) != 0;
    if (const auto env = read_subnet_env(agent.lab, agent.node); running && env) return *env;
    if (!running) return ended(agent);
    if (steady_clock::now() > deadline)
      return fail(
          "the agent of " + agent.node + " has no subnet after 15 s: " + last_line(agent.log()),
          "see " + agent.log());
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

NodeProgram agent_of(const std::string& lab, const std::string& node) {
  return {.lab = lab, .node = node, .name = "agent"};
}

Result<SubnetEnv> start_agent(const Lab& lab, const Programs& programs, const Node& node) {
  const NodeProgram agent = agent_of(lab.name, node.name);
  RETURN_IF_ERROR(start_program(agent, agent_command(lab, programs)));
  return wait_for_subnet(agent);
}

std::optional<SubnetEnv> read_subnet_env(const std::string& lab, const std::string& node) {
  const auto text = read_file(node_folder(lab, node) + "/run/flannel/subnet.env");
  if (!text) return std::nullopt;
  SubnetEnv env;
  for (const auto& line : split(*text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = line.substr(0, equals);
    const auto network = network_in(line.substr(equals + 1));
    if (!network) continue;
    if (key == "FLANNEL_SUBNET" || key == "FLANNEL_IPV6_SUBNET") env.subnets.push_back(*network);
    if (key == "FLANNEL_NETWORK" || key == "FLANNEL_IPV6_NETWORK") env.networks.push_back(*network);
  }
  if (env.subnets.empty()) return std::nullopt;
  return env;
}

}  // namespace weft::lab
