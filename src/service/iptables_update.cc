#include "service/iptables_update.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "net/iptables_rule.h"
#include "net/iptables_words.h"

namespace weft::service {
namespace {

using Rules = std::vector<std::string>;

bool same_rules(const Rules& left, const Rules& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_rule);
}

const IptablesTable& table_of(const IptablesTables& tables, const std::string& name) {
  static const IptablesTable kNone;
  const auto found = tables.find(name);
  return found == tables.end() ? kNone : found->second;
}

// The chains that rules outside of the proxy's own lead to. They cannot be removed.
std::set<std::string> held_by_others(const IptablesDesign& design, const std::string& table,
                                     const IptablesTable& actual) {
  std::set<std::string> held;
  for (const auto& [chain, contents] : actual.chains)
    if (!design.is_own(table, chain))
      for (const auto& rule : contents.rules) held.emplace(iptables::jump_of(rule));
  return held;
}

TableUpdate plan_table(const IptablesDesign& design, const std::string& name,
                       const ChainRules& wanted, const IptablesTable& actual) {
  TableUpdate update;
  for (const auto& [chain, rules] : wanted) {
    const auto found = actual.chains.find(chain);
    if (found == actual.chains.end() || !same_rules(rules, found->second.rules))
      update.chains.emplace(chain, rules);
  }
  const std::set<std::string> held = held_by_others(design, name, actual);
  for (const auto& [chain, contents] : actual.chains) {
    if (!design.comes_and_goes(chain) || wanted.contains(chain)) continue;
    if (!held.contains(chain))
      update.gone.insert(chain);
    else if (!contents.rules.empty())
      update.chains.emplace(chain, Rules{});
  }
  for (const IptablesJump& jump : design.jumps) {
    if (jump.table != name) continue;
    const auto found = actual.chains.find(jump.from);
    const auto is_jump = [&](const std::string& rule) { return same_rule(rule, jump.words); };
    if (found != actual.chains.end() &&
        std::any_of(found->second.rules.begin(), found->second.rules.end(), is_jump))
      continue;
    update.put.push_back(jump);
    if (!wanted.contains(jump.to) && !actual.chains.contains(jump.to))
      update.chains.emplace(jump.to, Rules{});
  }
  return update;
}

// Whatever can be reached from a chain.
void add_reachable(const std::string& chain, const IptablesTable& table,
                   std::set<std::string>& reached) {
  const auto found = table.chains.find(chain);
  if (found == table.chains.end() || !reached.insert(chain).second) return;
  for (const auto& rule : found->second.rules)
    add_reachable(std::string(iptables::jump_of(rule)), table, reached);
}

TableUpdate plan_table_removal(const IsChain& goes, const std::string& name,
                               const IptablesTable& actual) {
  std::set<std::string> held;
  TableUpdate update;
  for (const auto& [chain, contents] : actual.chains) {
    if (goes(name, chain)) continue;
    for (const auto& rule : contents.rules) {
      const std::string target(iptables::jump_of(rule));
      if (!goes(name, target)) continue;
      if (contents.policy)
        update.dropped.push_back({name, chain, target, rule});
      else
        add_reachable(target, actual, held);
    }
  }
  for (const auto& [chain, contents] : actual.chains)
    if (goes(name, chain) && !held.contains(chain)) update.gone.insert(chain);
  return update;
}

// By that order every chain comes after those that it leads to.
std::size_t rank(const std::string& chain) {
  constexpr std::array<std::string_view, 6> kOrder{
      chains::kMarkMasquerade, chain_prefix::kEndpoint, chain_prefix::kCluster,
      chain_prefix::kLocal,    chain_prefix::kExternal, chain_prefix::kFirewall};
  const auto* found = std::find_if(kOrder.begin(), kOrder.end(), [&](std::string_view front) {
    return chain.starts_with(front);
  });
  return static_cast<std::size_t>(found - kOrder.begin());
}

using NamedRules = ChainRules::value_type;

std::vector<const NamedRules*> in_order(const ChainRules& chains) {
  std::vector<const NamedRules*> all;
  for (const auto& each : chains) all.push_back(&each);
  std::stable_sort(all.begin(), all.end(), [](const NamedRules* left, const NamedRules* right) {
    return rank(left->first) < rank(right->first);
  });
  return all;
}

// The input for one table.
class TableScript {
 public:
  void put(const NamedRules& chain) {
    name_chain(chain.first);
    for (const auto& rule : chain.second) {
      rules_ += "-A " + chain.first + " " + rule + "\n";
      ++count_;
    }
  }
  void finish(const TableUpdate& update) {
    for (const auto& jump : update.dropped) rules_ += "-D " + jump.from + " " + jump.words + "\n";
    for (const auto& jump : update.put)
      rules_ += (jump.at_end ? "-A " : "-I ") + jump.from + " " + jump.words + "\n";
    for (const auto& chain : update.gone) {
      name_chain(chain);
      rules_ += "-X " + chain + "\n";
    }
  }
  std::size_t rules() const { return count_; }
  std::string text(const std::string& table) const {
    return chains_.empty() && rules_.empty() ? ""
                                             : "*" + table + "\n" + chains_ + rules_ + "COMMIT\n";
  }

 private:
  /// Makes it, or takes its rules away.
  void name_chain(const std::string& chain) { chains_ += ":" + chain + " - [0:0]\n"; }

  std::string chains_;
  std::string rules_;
  std::size_t count_ = 0;
};

}  // namespace

IptablesUpdate plan_iptables(const IptablesDesign& design, const IptablesContents& wanted,
                             const IptablesTables& actual) {
  IptablesUpdate update{
      {"filter", plan_table(design, "filter", wanted.filter, table_of(actual, "filter"))},
      {"nat", plan_table(design, "nat", wanted.nat, table_of(actual, "nat"))}};
  std::erase_if(update, [](const auto& table) { return table.second.empty(); });
  return update;
}

IptablesUpdate plan_iptables_removal(const IsChain& goes, const IptablesTables& actual) {
  IptablesUpdate update;
  for (const auto& [name, table] : actual)
    if (auto removal = plan_table_removal(goes, name, table); !removal.empty())
      update.emplace(name, std::move(removal));
  return update;
}

std::vector<std::string> restore_scripts(const IptablesUpdate& update, std::size_t rules_each) {
  std::vector<std::string> scripts;
  std::string last;
  for (const auto& [name, table] : update) {
    TableScript script;
    for (const NamedRules* chain : in_order(table.chains)) {
      if (script.rules() >= rules_each) {
        scripts.push_back(script.text(name));
        script = {};
      }
      script.put(*chain);
    }
    script.finish(table);
    last += script.text(name);
  }
  if (!last.empty()) scripts.push_back(std::move(last));
  return scripts;
}

std::uint32_t commits_of(std::string_view script) {
  std::uint32_t count = 0;
  for (const auto& line : split(script, '\n'))
    if (line == "COMMIT") ++count;
  return count;
}

std::string blamed_line(std::string_view script, std::string_view complaint) {
  constexpr std::string_view kLine = "line";
  for (std::size_t at = complaint.find(kLine); at != std::string_view::npos;
       at = complaint.find(kLine, at + 1)) {
    std::string_view rest = complaint.substr(at + kLine.size());
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(": ")));
    const auto number = parse_number(rest.substr(0, rest.find_first_not_of("0123456789")));
    if (!number || *number == 0) continue;
    const auto lines = split(script, '\n');
    return *number <= lines.size() ? lines[*number - 1] : "";
  }
  return {};
}

std::vector<std::string> describe(const IptablesUpdate& update) {
  std::vector<std::string> words;
  for (const auto& [name, table] : update) {
    const auto phrase = [&of = name](const std::string& object, const char* done) {
      return std::string(of).append(" ").append(object).append(": ").append(done);
    };
    const auto jump_of = [](const IptablesJump& jump) {
      return std::string("jump from ").append(jump.from).append(" to ").append(jump.to);
    };
    for (const auto& [chain, rules] : table.chains)
      words.push_back(phrase("chain " + chain, "put"));
    for (const auto& jump : table.put) words.push_back(phrase(jump_of(jump), "put"));
    for (const auto& jump : table.dropped) words.push_back(phrase(jump_of(jump), "removed"));
    for (const auto& chain : table.gone) words.push_back(phrase("chain " + chain, "removed"));
  }
  return words;
}

}  // namespace weft::service
