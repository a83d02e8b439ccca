#include "net/iptables_plan.h"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

bool has_comment_and_target(const IptablesRule& wanted, const std::string& present) {
  IptablesRule known = wanted;
  std::erase_if(known.matches, [](const iptables::Match& match) {
    return std::holds_alternative<iptables::Words>(match);
  });
  // "MATCHES -j TARGET": the operator's words, which iptables puts in words of its own, lie
  // between the two.
  const std::string words = known.words();
  const std::size_t target = words.rfind(" -j ");
  return target != std::string::npos && present.ends_with(words.substr(target)) &&
         present.find(words.substr(words.find("-m "), target - words.find("-m "))) !=
             std::string::npos;
}

bool is(const IptablesRule& wanted, const PresentRule& present) {
  if (wanted.is_understood()) return wanted.words() == present.words;
  return has_comment_and_target(wanted, present.words);
}

struct EditScript {
  std::string operator()(const PutIptablesChain& edit) const {
    return ":" + edit.chain + " - [0:0]\n";
  }
  std::string operator()(const AddIptablesRule& edit) const {
    return (edit.in_front ? "-I " : "-A ") + edit.chain + " " + edit.rule.words() + "\n";
  }
  std::string operator()(const DropIptablesRule& edit) const {
    return "-D " + edit.chain + " " + edit.rule.words + "\n";
  }
  std::string operator()(const DropIptablesChain& edit) const { return "-X " + edit.chain + "\n"; }
};

struct EditComplaint {
  std::string operator()(const PutIptablesChain& edit) const {
    return "chain " + edit.chain + " not found";
  }
  std::string operator()(const AddIptablesRule& edit) const {
    return "rule " + edit.rule.words() + " of chain " + edit.chain + " not found";
  }
  std::string operator()(const DropIptablesRule& edit) const {
    return "chain " + edit.chain + " has another rule: " + edit.rule.words;
  }
  std::string operator()(const DropIptablesChain& edit) const {
    return "chain " + edit.chain + " should be gone";
  }
};

}  // namespace

const std::vector<PresentRule>& IptablesPlan::rules_of(const std::string& chain) const {
  static const std::vector<PresentRule> kNone;
  const auto found = present_.find(chain);
  return found == present_.end() ? kNone : found->second;
}

bool IptablesPlan::is_going(const std::string& chain, const PresentRule& rule) const {
  const IptablesEdit drop = DropIptablesRule{chain, rule};
  return std::find(gone_.begin(), gone_.end(), drop) != gone_.end();
}

void IptablesPlan::add(const std::string& chain, const IptablesRule& rule, Place place,
                       const std::string& owner) {
  const bool in_front = place == Place::kFront;
  (in_front ? in_front_ : at_end_).emplace_back(AddIptablesRule{chain, rule, in_front, owner});
}

void IptablesPlan::need_chain(const std::string& chain) {
  if (!present_.contains(chain)) chains_.emplace_back(PutIptablesChain{chain});
}

void IptablesPlan::need_rule(const std::string& chain, const IptablesRule& rule, Place place,
                             const std::string& owner) {
  const auto& rules = rules_of(chain);
  if (std::none_of(rules.begin(), rules.end(), [&](const PresentRule& present) {
        return is(rule, present) && !is_going(chain, present);
      }))
    add(chain, rule, place, owner);
}

void IptablesPlan::need_whole_chain(const std::string& chain,
                                    const std::vector<IptablesRule>& rules) {
  need_chain(chain);
  const auto& present = rules_of(chain);
  if (std::equal(rules.begin(), rules.end(), present.begin(), present.end(), is)) return;
  drop_rules(chain, [](const PresentRule&) { return true; });
  for (const auto& rule : rules) add(chain, rule, Place::kEnd);
}

void IptablesPlan::need_jumps(const std::string& from, const std::string& chain,
                              const std::vector<IptablesRule>& rules, Place place) {
  drop_rules(from, [&](const PresentRule& present) {
    return iptables::jump_of(present.words) == chain &&
           std::none_of(rules.begin(), rules.end(),
                        [&](const IptablesRule& rule) { return is(rule, present); });
  });
  for (const auto& rule : rules) need_rule(from, rule, place);
}

void IptablesPlan::drop_rules(const std::string& chain,
                              const std::function<bool(const PresentRule&)>& goes) {
  for (const auto& rule : rules_of(chain))
    if (goes(rule)) gone_.emplace_back(DropIptablesRule{chain, rule});
}

bool IptablesPlan::has_jump(const std::string& from, const std::string& chain) const {
  const auto& rules = rules_of(from);
  return std::any_of(rules.begin(), rules.end(), [&](const PresentRule& present) {
    return iptables::jump_of(present.words) == chain;
  });
}

void IptablesPlan::drop_jumps(const std::string& from, const std::string& chain) {
  drop_rules(from,
             [&](const PresentRule& present) { return iptables::jump_of(present.words) == chain; });
}

void IptablesPlan::drop_chain(const std::string& chain) {
  if (!present_.contains(chain)) return;
  drop_rules(chain, [](const PresentRule&) { return true; });
  dropped_.emplace_back(DropIptablesChain{chain});
}

IptablesEdits IptablesPlan::edits() const {
  IptablesEdits all;
  const auto append = [&](const IptablesEdits& part) {
    all.insert(all.end(), part.begin(), part.end());
  };
  append(chains_);
  append(gone_);
  // Each comes to the very front: the last one of them is the first.
  all.insert(all.end(), in_front_.rbegin(), in_front_.rend());
  append(at_end_);
  append(dropped_);
  return all;
}

std::optional<std::string> complaint(const IptablesEdits& edits, std::string_view table) {
  if (edits.empty()) return std::nullopt;
  return std::visit(EditComplaint{}, edits.front()) + " in iptables table " + std::string(table);
}

std::string restore_script(const IptablesEdits& edits, std::string_view table) {
  std::string script = "*" + std::string(table) + "\n";
  for (const auto& edit : edits) script += std::visit(EditScript{}, edit);
  return script + "COMMIT\n";
}

}  // namespace weft
