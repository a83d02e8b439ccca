// iptables_plan.h: the edits that bring chains of iptables where a plugin wants them. Pure.
//
// The chains belong to many, so nothing is said about whole tables: a plan holds what must be
// there and what must go, and leaves every other rule where it is. Carried out by
// kernel/iptables_tables.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/iptables_rule.h"

namespace weft {

/// A rule that was read.
struct PresentRule {
  std::string words = {};
  std::string owner = {};    ///< nft::Rule::owner; empty in the legacy variant
  std::uint64_t handle = 0;  ///< likewise
  bool operator==(const PresentRule&) const = default;
};
/// By name; a chain that was asked for and is not in here is not there.
using PresentChains = std::map<std::string, std::vector<PresentRule>>;

struct PutIptablesChain {
  std::string chain = {};
  bool operator==(const PutIptablesChain&) const = default;
};
struct AddIptablesRule {
  std::string chain = {};
  IptablesRule rule = {};
  bool in_front = false;  ///< else at the end
  std::string owner = {};
  bool operator==(const AddIptablesRule&) const = default;
};
struct DropIptablesRule {
  std::string chain = {};
  PresentRule rule = {};
  bool operator==(const DropIptablesRule&) const = default;
};
/// By then the chain is empty and nothing jumps to it.
struct DropIptablesChain {
  std::string chain = {};
  bool operator==(const DropIptablesChain&) const = default;
};
using IptablesEdit =
    std::variant<PutIptablesChain, AddIptablesRule, DropIptablesRule, DropIptablesChain>;
using IptablesEdits = std::vector<IptablesEdit>;

/// Collects what is wanted, in any order, beside what is there.
class IptablesPlan {
 public:
  enum class Place { kFront, kEnd };

  /// `present` must outlive the plan.
  explicit IptablesPlan(const PresentChains& present) : present_(present) {}

  void need_chain(const std::string& chain);
  /// The rule stands somewhere in the chain; where it is missing, or was dropped by this plan, it
  /// comes to `place`. Of those that come to the front the first one asked for is the first.
  void need_rule(const std::string& chain, const IptablesRule& rule, Place place,
                 const std::string& owner = {});
  /// A chain with these rules, in order, and no other.
  void need_whole_chain(const std::string& chain, const std::vector<IptablesRule>& rules);
  /// Of the rules in `from` that jump to `chain`, these and no other.
  void need_jumps(const std::string& from, const std::string& chain,
                  const std::vector<IptablesRule>& rules, Place place);

  void drop_rules(const std::string& chain, const std::function<bool(const PresentRule&)>& goes);
  bool has_jump(const std::string& from, const std::string& chain) const;
  void drop_jumps(const std::string& from, const std::string& chain);
  /// With its rules. What jumps to it must be dropped as well.
  void drop_chain(const std::string& chain);

  /// In the order in which they can be carried out: chains that come, rules that go, rules that
  /// come, chains that go.
  IptablesEdits edits() const;

 private:
  const std::vector<PresentRule>& rules_of(const std::string& chain) const;
  bool is_going(const std::string& chain, const PresentRule& rule) const;
  void add(const std::string& chain, const IptablesRule& rule, Place place,
           const std::string& owner = {});

  const PresentChains& present_;
  std::vector<IptablesEdit> chains_;
  std::vector<IptablesEdit> gone_;
  std::vector<IptablesEdit> in_front_;
  std::vector<IptablesEdit> at_end_;
  std::vector<IptablesEdit> dropped_;
};

/// What is not as it should be, as CHECK says it; nothing when the edits are none.
/// `table` is the name of the table.
std::optional<std::string> complaint(const IptablesEdits& edits, std::string_view table);

/// The edits as input of iptables-restore --noflush.
std::string restore_script(const IptablesEdits& edits, std::string_view table);

}  // namespace weft
