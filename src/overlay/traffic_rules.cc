#include "overlay/traffic_rules.h"

#include <algorithm>
#include <utility>

namespace weft::overlay {
namespace {

// The chains of iptables mode, by where they are hooked in: planned or not.
struct KnownChain {
  const char* table;
  const char* chain;
  const char* hooked_into;
};
constexpr KnownChain kKnownChains[] = {{"nat", "FLANNEL-POSTRTG", "POSTROUTING"},
                                       {"filter", "FLANNEL-FWD", "FORWARD"}};

const IptablesChainPlan* find_plan(const std::vector<IptablesChainPlan>& plans, const char* chain) {
  const auto found = std::find_if(plans.begin(), plans.end(),
                                  [&](const auto& plan) { return plan.chain == chain; });
  return found == plans.end() ? nullptr : &*found;
}

void append(std::vector<IptablesEdit>& to, std::vector<IptablesEdit> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

Status TrafficRules::settle(const MasqueradeFacts& facts, PassReport& report) {
  const Family family = facts.network.family();
  const Status status =
      nftables_mode_ ? settle_nftables(facts, report) : settle_iptables(facts, report);
  if (!status)
    return because(std::string(to_string(family)) + " masquerade and forward rules",
                   status.error());
  return {};
}

Result<const kernel::Iptables*> TrafficRules::iptables(Family family) {
  if (const auto known = iptables_.find(family); known != iptables_.end()) return &known->second;
  ASSIGN_OR_RETURN(kernel::Iptables found, kernel::Iptables::find(family));
  return &iptables_.emplace(family, std::move(found)).first->second;
}

Result<kernel::Nftables*> TrafficRules::nftables() {
  if (!nftables_) {
    ASSIGN_OR_RETURN(nftables_, kernel::Nftables::open());
  }
  return &*nftables_;
}

Status TrafficRules::restore(const kernel::Iptables& iptables,
                             const std::vector<IptablesEdit>& edits, PassReport& report) {
  if (edits.empty()) return {};
  RETURN_IF_ERROR(iptables.restore(restore_script(edits)));
  for (const auto& edit : edits) report.edit("rules", edit.object, edit.found, edit.done);
  return {};
}

Status TrafficRules::settle_iptables(MasqueradeFacts facts, PassReport& report) {
  const Family family = facts.network.family();
  ASSIGN_OR_RETURN(const kernel::Iptables* programs, iptables(family));
  facts.random_fully = facts.random_fully && programs->version().has_random_fully();
  const auto plans = plan_iptables(facts);
  std::vector<IptablesEdit> edits;
  for (const auto& known : kKnownChains) {
    ASSIGN_OR_RETURN(const IptablesTable actual, programs->read(known.table));
    const IptablesChainPlan* plan = find_plan(plans, known.chain);
    append(edits, plan != nullptr
                      ? plan_chain_edits(*plan, actual)
                      : plan_chain_removal(known.table, known.chain, known.hooked_into, actual));
  }
  RETURN_IF_ERROR(restore(*programs, edits, report));
  return remove_nftables_table(family, report);
}

Status TrafficRules::remove_nftables_table(Family family, PassReport& report) {
  // Without nf_tables in the kernel nothing of it can be left.
  auto tables = nftables();
  if (!tables) return {};
  const nft::TableId id = nftables_table(family);
  ASSIGN_OR_RETURN(const auto all, (*tables)->tables());
  const bool there =
      std::any_of(all.begin(), all.end(), [&](const nft::Table& table) { return table.id == id; });
  if (!there) return {};
  RETURN_IF_ERROR((*tables)->remove_table(id));
  report.edit("rules", "nftables table " + id.name, "not wanted", "removed");
  return {};
}

Status TrafficRules::settle_nftables(const MasqueradeFacts& facts, PassReport& report) {
  const Family family = facts.network.family();
  ASSIGN_OR_RETURN(kernel::Nftables * tables, nftables());
  ASSIGN_OR_RETURN(const auto edits, tables->apply(plan_nftables(facts)));
  for (const auto& edit : edits)
    report.edit("rules", "nftables " + nftables_table(family).name + " " + edit, "not as planned",
                "mended");
  // A node without iptables has no rules of iptables in the way.
  auto programs = iptables(family);
  if (!programs) return {};
  std::vector<IptablesEdit> iptables_edits;
  const auto plans = plan_iptables(facts);
  for (const auto& known : kKnownChains) {
    ASSIGN_OR_RETURN(const IptablesTable actual, (*programs)->read(known.table));
    const IptablesChainPlan* plan = find_plan(plans, known.chain);
    // An accept in one table does not undo a drop in another: it must be said where it is dropped.
    const bool needed = plan != nullptr && std::string(known.hooked_into) == "FORWARD" &&
                        drops_by_default(actual, known.hooked_into);
    append(iptables_edits,
           needed ? plan_chain_edits(*plan, actual)
                  : plan_chain_removal(known.table, known.chain, known.hooked_into, actual));
  }
  return restore(**programs, iptables_edits, report);
}

}  // namespace weft::overlay
