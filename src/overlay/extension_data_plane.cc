#include "overlay/extension_data_plane.h"

#include <unistd.h>

#include <utility>

#include "base/loop.h"
#include "base/process.h"
#include "base/text.h"

namespace weft::overlay {
namespace {

using Variables = CommandTemplate::Variables;

Variables inherited_variables() {
  Variables result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Result<std::string> run_command(const CommandTemplate& command, const Variables& variables,
                                const std::string& input, std::chrono::milliseconds limit) {
  const Variables inherited = inherited_variables();
  std::vector<std::string> environment;
  for (const auto& [name, value] : inherited)
    if (!variables.contains(name)) environment.push_back(name + "=" + value);
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return run_or_fail({.argv = command.expand(variables, inherited),
                      .input = input + "\n",
                      .environment = std::move(environment),
                      .limit = limit,
                      .own_group = true});
}

}  // namespace

Result<std::unique_ptr<DataPlane>> ExtensionDataPlane::open(const NetConf& conf,
                                                            const ExtensionBackend& backend,
                                                            std::chrono::milliseconds limit) {
  std::string printed;
  if (!backend.pre_startup.empty()) {
    auto output = run_command(backend.pre_startup, {}, "", limit);
    if (!output) return because("PreStartupCommand", output.error());
    printed = std::string(trim(*output));
  }
  return std::unique_ptr<DataPlane>(new ExtensionDataPlane(conf, backend, limit, printed));
}

BackendData ExtensionDataPlane::publish(const std::optional<Lease>& /*before*/) {
  // In one place for both families, as flannel.
  if (data_.empty()) return {};
  return {{Family::kIpv4, data_}};
}

Status ExtensionDataPlane::run(const CommandTemplate& command, const ExtensionNode& node) {
  if (command.empty()) return {};
  const auto output = run_command(command, extension_variables(networks_, node), node.data, limit_);
  if (!output) return Failure(output.error());
  return {};
}

void ExtensionDataPlane::attempt(Told& told, const std::string& object,
                                 const std::function<Status()>& work, PassReport& report) {
  if (told.failures == 0 || Clock::now() >= told.again) {
    const Status done = work();
    told.failures = done ? 0 : told.failures + 1;
    told.error = done ? "" : done.error().text();
    told.again = Clock::now() + backoff(told.failures, {});
  }
  if (told.failures != 0) report.failure(object + ": " + told.error);
}

bool ExtensionDataPlane::settle_own(const Pass& pass) {
  const auto address = [&](Family family) -> std::optional<IpAddress> {
    const auto& known = pass.uplink.public_addresses;
    const auto found = known.find(family);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  };
  const ExtensionNode self{.subnets = pass.own.key,
                           .public_ipv4 = address(Family::kIpv4),
                           .public_ipv6 = address(Family::kIpv6)};
  if (own_.node == self) return true;
  const auto start_up = [&]() -> Status {
    if (Status run = this->run(backend_.post_startup, self); !run)
      return because("PostStartupCommand", run.error());
    own_.node = self;
    return {};
  };
  attempt(own_, "node " + self.subnets.describe(), start_up, pass.report);
  return own_.node == self;
}

void ExtensionDataPlane::remove_peer(const ExtensionNode& node, PassReport& report) {
  const std::string object = "peer " + node.subnets.describe();
  // Told once: what was to be removed is often gone already, and a new try would not find it.
  if (Status removed = run(backend_.subnet_remove, node); !removed)
    report.failure(object + ": SubnetRemoveCommand: " + removed.error().text());
  else
    report.edit("peers", object, "stale", "removed");
}

void ExtensionDataPlane::settle_peer(Told& told, const ExtensionNode& wanted, PassReport& report) {
  if (told.node == wanted) return;
  if (told.node != ExtensionNode()) remove_peer(std::exchange(told.node, {}), report);
  const std::string object = "peer " + wanted.subnets.describe();
  const auto add = [&]() -> Status {
    if (Status added = run(backend_.subnet_add, wanted); !added)
      return because("SubnetAddCommand", added.error());
    report.edit("peers", object, "missing", "added");
    told.node = wanted;
    return {};
  };
  attempt(told, object, add, report);
}

std::vector<LinkIndex> ExtensionDataPlane::settle(const Pass& pass) {
  if (!settle_own(pass)) return {};
  const ExtensionPeers wanted = extension_peers(pass.peers, pass.leases);
  for (const auto& line : wanted.refused) pass.report.refusal(line);
  for (auto told = peers_.begin(); told != peers_.end();) {
    const bool gone = !wanted.nodes.contains(told->first);
    if (gone && told->second.node != ExtensionNode()) remove_peer(told->second.node, pass.report);
    told = gone ? peers_.erase(told) : std::next(told);
  }
  // One command that hangs must not keep the agent from everything else for hours.
  const auto end = Clock::now() + limit_;
  for (const auto& [key, node] : wanted.nodes) {
    if (Clock::now() >= end) {
      pass.report.failure("peer " + key.describe() + " and those behind it wait: the commands " +
                          "before it took too long");
      break;
    }
    settle_peer(peers_[key], node, pass.report);
  }
  return {};
}

}  // namespace weft::overlay
