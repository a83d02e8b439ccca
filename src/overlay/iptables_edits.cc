#include "overlay/iptables_edits.h"

#include <algorithm>
#include <map>

#include "overlay/jump_place.h"

namespace weft::overlay {
namespace {

const IptablesChain& chain_of(const IptablesTable& table, const std::string& name) {
  static const IptablesChain kNone;
  const auto found = table.chains.find(name);
  return found == table.chains.end() ? kNone : found->second;
}

bool jumps_to(const std::string& rule, const std::string& chain) {
  const std::string target = "-j " + chain;
  const auto at = rule.rfind(target);
  return at != std::string::npos && at + target.size() == rule.size();
}

// What stands in a built-in chain beside our jumps, and where those are.
struct Hook {
  std::vector<std::string> others;
  std::vector<std::string> jumps;
  std::size_t before_first = 0;  // rules of others that come before the first jump
};

Hook inspect(const IptablesChain& chain, const std::string& ours) {
  Hook hook;
  for (const auto& rule : chain.rules) {
    if (!jumps_to(rule, ours)) {
      hook.others.push_back(rule);
      continue;
    }
    if (hook.jumps.empty()) hook.before_first = hook.others.size();
    hook.jumps.push_back(rule);
  }
  return hook;
}

std::vector<std::string> deletions(const std::string& chain,
                                   const std::vector<std::string>& rules) {
  std::vector<std::string> commands;
  for (const auto& rule : rules) commands.push_back("-D " + chain + " " + rule);
  return commands;
}

}  // namespace

std::vector<IptablesEdit> plan_chain_edits(const IptablesChainPlan& plan,
                                           const IptablesTable& actual) {
  std::vector<IptablesEdit> edits;
  const bool there = actual.chains.contains(plan.chain);
  const IptablesChain& chain = chain_of(actual, plan.chain);
  if (!there || chain.rules != plan.rules) {
    // Naming a chain that exists empties it, in the same commit that fills it again.
    std::vector<std::string> commands{":" + plan.chain + " - [0:0]"};
    for (const auto& rule : plan.rules) commands.push_back("-A " + plan.chain + " " + rule);
    edits.push_back({.table = plan.table,
                     .commands = std::move(commands),
                     .object = "chain " + plan.chain,
                     .found = !there                ? "missing"
                              : chain.rules.empty() ? "empty"
                                                    : "different",
                     .done = "put"});
  }
  const Hook hook = inspect(chain_of(actual, plan.hooked_into), plan.chain);
  const std::size_t place = place_jump(hook.others, actual);
  const bool right =
      hook.jumps.size() == 1 && hook.jumps[0] == plan.jump && hook.before_first <= place;
  if (!right) {
    auto commands = deletions(plan.hooked_into, hook.jumps);
    commands.push_back("-I " + plan.hooked_into + " " + std::to_string(place + 1) + " " +
                       plan.jump);
    edits.push_back({.table = plan.table,
                     .commands = std::move(commands),
                     .object = "jump from " + plan.hooked_into,
                     .found = hook.jumps.empty()          ? "missing"
                              : hook.jumps.size() > 1     ? "more than once"
                              : hook.before_first > place ? "behind a rule that ends everything"
                                                          : "different",
                     .done = "put"});
  }
  return edits;
}

std::vector<IptablesEdit> plan_chain_removal(const std::string& table, const std::string& chain,
                                             const std::string& hooked_into,
                                             const IptablesTable& actual) {
  if (!actual.chains.contains(chain)) return {};
  auto commands = deletions(hooked_into, inspect(chain_of(actual, hooked_into), chain).jumps);
  commands.push_back("-F " + chain);
  commands.push_back("-X " + chain);
  return {{.table = table,
           .commands = std::move(commands),
           .object = "chain " + chain,
           .found = "not wanted",
           .done = "removed"}};
}

bool drops_by_default(const IptablesTable& table, const std::string& name) {
  const IptablesChain& chain = chain_of(table, name);
  return chain.policy == "DROP" || place_jump(chain.rules, table) < chain.rules.size();
}

std::string restore_script(const std::vector<IptablesEdit>& edits) {
  std::map<std::string, std::string> tables;
  // Chains are named before any rule refers to them.
  for (const auto& edit : edits)
    for (const auto& command : edit.commands)
      if (command[0] == ':') tables[edit.table] += command + "\n";
  for (const auto& edit : edits)
    for (const auto& command : edit.commands)
      if (command[0] != ':') tables[edit.table] += command + "\n";
  std::string script;
  for (const auto& [table, commands] : tables) script += "*" + table + "\n" + commands + "COMMIT\n";
  return script;
}

}  // namespace weft::overlay
