#include "lab/agents.h"

#include <chrono>
#include <thread>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "lab/store.h"

namespace weft::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause(5);
constexpr std::chrono::seconds kPatience(15);

std::string record_file(const std::string& lab, const std::string& node) {
  return node_folder(lab, node) + "/agent.json";
}

std::vector<std::string> agent_command(const Lab& lab, const Programs& programs) {
  std::vector<std::string> argv = {programs.weftd, "flanneld"};
  for (auto& flag : store_flags(lab)) argv.push_back(std::move(flag));
  argv.push_back("--iface=eth0");
  argv.push_back(lab.ip_masq ? "--ip-masq" : "--ip-masq=false");
  argv.push_back("--subnet-file=/run/flannel/subnet.env");
  return argv;
}

Status write_record(const Lab& lab, const std::string& node, const AgentRecord& record) {
  const Json json = {{"pid", record.pid}, {"argv", record.argv}};
  return write_file_atomically(record_file(lab.name, node), json.dump(2) + "\n", 0644);
}

std::optional<Prefix> network_in(const std::string& value) {
  const auto address = InterfaceAddress::parse(value);
  return address ? std::optional(address->network()) : std::nullopt;
}

Result<SubnetEnv> wait_for_subnet(const Lab& lab, const Node& node, pid_t pid) {
  const std::string netns = netns_path(lab.name, node.name);
  const std::string log = agent_log(lab.name, node.name);
  const auto deadline = steady_clock::now() + kPatience;
  for (;;) {
    const bool running = is_running(pid, netns);
    if (const auto env = read_subnet_env(lab.name, node.name); running && env) return *env;
    if (!running)
      return fail("the agent of " + node.name + " ended: " + last_line(log), "see " + log);
    if (steady_clock::now() > deadline)
      return fail("the agent of " + node.name + " has no subnet after 15 s: " + last_line(log),
                  "see " + log);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::string agent_log(const std::string& lab, const std::string& node) {
  return node_folder(lab, node) + "/agent.log";
}

Result<SubnetEnv> start_agent(const Lab& lab, const Programs& programs, const Node& node) {
  AgentRecord record = read_agent_record(lab.name, node.name).value_or(AgentRecord{});
  if (is_running(record.pid, netns_path(lab.name, node.name)))
    return wait_for_subnet(lab, node, record.pid);
  if (record.argv.empty()) record.argv = agent_command(lab, programs);
  const Status started = in_node(lab.name, node.name, [&]() -> Status {
    ASSIGN_OR_RETURN(record.pid, start_daemon({.argv = record.argv,
                                               .environment = {"NODE_NAME=" + node.name},
                                               .log = agent_log(lab.name, node.name)}));
    return {};
  });
  RETURN_IF_ERROR(started);
  RETURN_IF_ERROR(write_record(lab, node.name, record));
  return wait_for_subnet(lab, node, record.pid);
}

Status stop_agent(const Lab& lab, const std::string& node) {
  const auto record = read_agent_record(lab.name, node);
  if (!record) return {};
  return stop_daemon(record->pid, netns_path(lab.name, node), std::chrono::seconds(5));
}

std::optional<AgentRecord> read_agent_record(const std::string& lab, const std::string& node) {
  const auto text = read_file(record_file(lab, node));
  const auto json = text ? parse_json(*text) : Failure(text.error());
  if (!json || !json->is_object()) return std::nullopt;
  AgentRecord record;
  int pid = 0;
  ObjectReader reader(*json, "agent.json");
  reader.read("pid", pid);
  reader.read("argv", record.argv);
  if (!reader.finish()) return std::nullopt;
  record.pid = pid;
  return record;
}

bool agent_is_running(const std::string& lab, const std::string& node) {
  const auto record = read_agent_record(lab, node);
  return record && is_running(record->pid, netns_path(lab, node));
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
