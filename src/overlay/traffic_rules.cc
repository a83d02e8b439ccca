#include "overlay/traffic_rules.h"

#include <algorithm>
#include <string_view>
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
  const auto settle_all = [&]() -> Status {
    const auto programs = iptables(family);
    // A node without iptables has no rules of iptables in the way.
    if (!programs && !nftables_mode_) return Failure(programs.error());
    if (nftables_mode_) RETURN_IF_ERROR(settle_nftables(facts, report));
    if (programs) {
      RETURN_IF_ERROR(settle_iptables(**programs, facts, !nftables_mode_, report));
      RETURN_IF_ERROR(settle_other_variant(**programs, facts, report));
    }
    return nftables_mode_ ? Status() : remove_nftables_table(family, report);
  };
  if (const Status settled = settle_all(); !settled)
    return because(std::string(to_string(family)) + " masquerade and forward rules",
                   settled.error());
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

Status TrafficRules::settle_iptables(const kernel::Iptables& programs, MasqueradeFacts facts,
                                     bool whole, PassReport& report) {
  facts.random_fully = facts.random_fully && programs.version().has_random_fully();
  const auto plans = plan_iptables(facts);
  std::vector<Prefix> own{facts.network};
  if (facts.former) own.push_back(*facts.former);
  std::vector<IptablesEdit> edits;
  for (const auto& known : kKnownChains) {
    ASSIGN_OR_RETURN(const IptablesTable actual, programs.read(known.table));
    const IptablesChainPlan* plan = find_plan(plans, known.chain);
    // An accept in one table does not undo a drop in another: it must be said where it is dropped.
    const bool wanted = whole || (std::string_view(known.hooked_into) == "FORWARD" &&
                                  drops_by_default(actual, known.hooked_into));
    append(edits, plan != nullptr && wanted ? plan_chain_edits(*plan, actual, own)
                                            : plan_chain_removal(known.table, known.chain,
                                                                 known.hooked_into, actual, own));
  }
  return restore(programs, edits, report);
}

Status TrafficRules::settle_other_variant(const kernel::Iptables& usual,
                                          const MasqueradeFacts& facts, PassReport& report) {
  const Family family = facts.network.family();
  const bool legacy = usual.version().variant == kernel::IptablesVersion::Variant::kLegacy;
  if (legacy) {
    const auto table_family = nft::table_family(family);
    auto used = has_nftables_table({.family = table_family, .name = "filter"});
    if (used && !*used) used = has_nftables_table({.family = table_family, .name = "nat"});
    if (!used || !*used) return {};
  } else if (!kernel::legacy_iptables_in_use(family)) {
    return {};
  }
  const auto other = kernel::Iptables::find(family, legacy ? "nft" : "legacy");
  // Without its programs nothing can be done there, by us or by anybody.
  if (!other) return {};
  return settle_iptables(*other, facts, false, report);
}

Result<bool> TrafficRules::has_nftables_table(const nft::TableId& id) {
  ASSIGN_OR_RETURN(kernel::Nftables * tables, nftables());
  ASSIGN_OR_RETURN(const auto all, tables->tables());
  return std::any_of(all.begin(), all.end(),
                     [&](const nft::Table& table) { return table.id == id; });
}

Status TrafficRules::remove_nftables_table(Family family, PassReport& report) {
  const nft::TableId id = nftables_table(family, agent_);
  // Without nf_tables in the kernel nothing of it can be left.
  const auto there = has_nftables_table(id);
  if (!there || !*there) return {};
  RETURN_IF_ERROR(nftables_->remove_table(id));
  report.edit("rules", "nftables table " + id.name, "not wanted", "removed");
  return {};
}

Status TrafficRules::settle_nftables(const MasqueradeFacts& facts, PassReport& report) {
  ASSIGN_OR_RETURN(kernel::Nftables * tables, nftables());
  const nft::TableContents plan = plan_nftables(facts, agent_);
  ASSIGN_OR_RETURN(const auto edits, tables->apply(plan));
  for (const auto& edit : edits)
    report.edit("rules", "nftables " + plan.table.id.name + " " + edit, "not as planned", "mended");
  return {};
}

}  // namespace weft::overlay
