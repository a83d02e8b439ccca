#include "overlay/iptables_edits.h"

#include <algorithm>
#include <map>

#include "base/text.h"
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
  const std::string start = "-D " + chain + " ";
  std::vector<std::string> commands;
  for (const auto& rule : rules) commands.push_back(start + rule);
  return commands;
}

// Naming a chain that exists empties it, in the same commit that fills it again.
std::vector<std::string> rewriting(const std::string& chain, const std::vector<std::string>& rules,
                                   const std::vector<std::string>& more) {
  std::vector<std::string> commands{":" + chain + " - [0:0]"};
  const std::string start = "-A " + chain + " ";
  for (const auto* part : {&rules, &more})
    for (const auto& rule : *part) commands.push_back(start + rule);
  return commands;
}

// The networks and addresses that a rule names.
std::vector<Prefix> prefixes_of(const std::string& rule) {
  std::vector<Prefix> found;
  const auto words = split(rule, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "-s" && words[i] != "-d") continue;
    if (const auto prefix = Prefix::parse(words[i + 1])) found.push_back(*prefix);
  }
  return found;
}

// The rules of a chain of flannel's, by whose they are.
struct Sharers {
  std::vector<std::string> ours;    // and what belongs to nobody here
  std::vector<std::string> others;  // of another flanneld of this node
};

Sharers sort_rules(const IptablesChain& chain, const std::vector<Prefix>& own) {
  const auto is_ours = [&](const Prefix& prefix) {
    return std::any_of(own.begin(), own.end(),
                       [&](const Prefix& network) { return network.overlaps(prefix); });
  };
  Sharers sharers;
  for (const auto& rule : chain.rules) {
    const auto prefixes = prefixes_of(rule);
    const bool of_other = rule.find("--comment \"flanneld ") != std::string::npos &&
                          !prefixes.empty() &&
                          std::none_of(prefixes.begin(), prefixes.end(), is_ours);
    (of_other ? sharers.others : sharers.ours).push_back(rule);
  }
  return sharers;
}

}  // namespace

std::vector<IptablesEdit> plan_chain_edits(const IptablesChainPlan& plan,
                                           const IptablesTable& actual,
                                           const std::vector<Prefix>& own) {
  std::vector<IptablesEdit> edits;
  const bool there = actual.chains.contains(plan.chain);
  const IptablesChain& chain = chain_of(actual, plan.chain);
  const Sharers sharers = sort_rules(chain, own);
  if (!there || sharers.ours != plan.rules) {
    edits.push_back({.table = plan.table,
                     .commands = rewriting(plan.chain, plan.rules, sharers.others),
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
                                             const IptablesTable& actual,
                                             const std::vector<Prefix>& own) {
  if (!actual.chains.contains(chain)) return {};
  const Sharers sharers = sort_rules(chain_of(actual, chain), own);
  if (!sharers.others.empty()) {
    // What names no network serves the others as well (the mark of kube-proxy).
    std::vector<std::string> shared;
    for (const auto& rule : sharers.ours)
      if (prefixes_of(rule).empty()) shared.push_back(rule);
    if (shared == sharers.ours) return {};
    return {{.table = table,
             .commands = rewriting(chain, shared, sharers.others),
             .object = "rules of chain " + chain,
             .found = "not wanted",
             .done = "removed"}};
  }
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
  for (const auto& [table, commands] : tables)
    script.append("*").append(table).append("\n").append(commands).append("COMMIT\n");
  return script;
}

}  // namespace weft::overlay
