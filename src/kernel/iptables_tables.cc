#include "kernel/iptables_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kernel/iptables_nft_codec.h"

namespace weft::kernel {
namespace {

using Variant = IptablesVersion::Variant;

bool is_understood(const IptablesEdits& edits) {
  return std::all_of(edits.begin(), edits.end(), [](const IptablesEdit& edit) {
    const auto* added = std::get_if<AddIptablesRule>(&edit);
    return added == nullptr || added->rule.is_understood();
  });
}

// The nft variant.

PresentChains present(const std::optional<nft::TableContents>& contents, Family family) {
  PresentChains chains;
  if (!contents) return chains;
  for (const auto& [name, chain] : contents->chains) chains.try_emplace(name);
  for (const auto& [name, rules] : contents->rules)
    for (const auto& rule : rules)
      chains[name].push_back({.words = iptables_nft::decode(rule, family).words(),
                              .owner = rule.owner,
                              .handle = rule.handle});
  return chains;
}

// Carries edits over into a transaction, with what iptables itself makes on the way: the table
// and its built-in chains.
class NftEdits {
 public:
  NftEdits(const IptablesScope& scope, const std::optional<nft::TableContents>& contents,
           Transaction& transaction)
      : scope_(scope),
        table_(iptables_nft::table_id(scope.family, scope.table)),
        contents_(contents),
        transaction_(transaction) {}

  void add(const IptablesEdits& edits) {
    if (edits.empty()) return;
    if (!contents_) transaction_.put_table({.id = table_});
    for (const auto& edit : edits) std::visit(*this, edit);
  }

  void operator()(const PutIptablesChain& edit) {
    transaction_.put_chain(table_, {.name = edit.chain});
  }
  void operator()(const AddIptablesRule& edit) {
    need_built_in(edit.chain);
    nft::Rule rule = iptables_nft::encode(edit.rule, scope_.family);
    rule.owner = edit.owner;
    if (edit.in_front)
      transaction_.prepend_rule(table_, edit.chain, rule);
    else
      transaction_.append_rule(table_, edit.chain, rule);
  }
  void operator()(const DropIptablesRule& edit) {
    transaction_.drop_rule(table_, edit.chain, edit.rule.handle);
  }
  void operator()(const DropIptablesChain& edit) { transaction_.drop_chain(table_, edit.chain); }

 private:
  void need_built_in(const std::string& name) {
    if (contents_ && contents_->chains.contains(name)) return;
    if (const auto chain = iptables_nft::built_in_chain(scope_.table, name))
      transaction_.put_chain(table_, *chain);
  }

  const IptablesScope& scope_;
  nft::TableId table_;
  const std::optional<nft::TableContents>& contents_;
  Transaction& transaction_;
};

Status restore_with(const IptablesScope& scope, std::string_view flavour,
                    const IptablesEdits& edits) {
  // Where only one variant is installed it has no name of its own.
  auto iptables = Iptables::find(scope.family, flavour);
  if (!iptables) iptables = Iptables::find(scope.family);
  if (!iptables) return Failure(iptables.error());
  return iptables->restore(restore_script(edits, scope.table));
}

Status change_nft(Nftables& nftables, const IptablesScope& scope, const IptablesPlanner& plan) {
  IptablesEdits strange;
  RETURN_IF_ERROR(nftables.change_chains(
      iptables_nft::table_id(scope.family, scope.table), scope.chains,
      [&](const std::optional<nft::TableContents>& contents, Transaction& transaction) {
        strange.clear();
        IptablesEdits edits = plan(present(contents, scope.family));
        if (!is_understood(edits))
          strange = std::move(edits);
        else
          NftEdits(scope, contents, transaction).add(edits);
      }));
  return strange.empty() ? Status() : restore_with(scope, "nft", strange);
}

// The legacy variant.

Result<PresentChains> read_legacy(const Iptables& iptables, const IptablesScope& scope) {
  ASSIGN_OR_RETURN(const IptablesTable table, iptables.read(scope.table));
  PresentChains chains;
  for (const auto& [name, chain] : table.chains) {
    if (std::find(scope.chains.begin(), scope.chains.end(), name) == scope.chains.end()) continue;
    auto& rules = chains[name];
    for (const auto& words : chain.rules) rules.push_back({.words = words});
  }
  return chains;
}

Result<Iptables> find_legacy(Family family) {
  auto iptables = Iptables::find(family, "legacy");
  return iptables ? std::move(iptables) : Iptables::find(family);
}

Status change_legacy(const IptablesScope& scope, const IptablesPlanner& plan) {
  ASSIGN_OR_RETURN(const Iptables iptables, find_legacy(scope.family));
  ASSIGN_OR_RETURN(const PresentChains chains, read_legacy(iptables, scope));
  const IptablesEdits edits = plan(chains);
  return edits.empty() ? Status() : iptables.restore(restore_script(edits, scope.table));
}

Result<PresentChains> read_nft(Nftables& nftables, const IptablesScope& scope) {
  PresentChains chains;
  RETURN_IF_ERROR(
      nftables.change_chains(iptables_nft::table_id(scope.family, scope.table), scope.chains,
                             [&](const std::optional<nft::TableContents>& contents, Transaction&) {
                               chains = present(contents, scope.family);
                             }));
  return chains;
}

}  // namespace

IptablesAccess IptablesAccess::open() {
  IptablesAccess tables;
  if (auto nftables = Nftables::open()) tables.nftables_ = *std::move(nftables);
  return tables;
}

Result<Variant> IptablesAccess::variant_in_use(const IptablesScope& scope) {
  if (!nftables_) return Variant::kLegacy;
  if (!legacy_iptables_in_use(scope.family)) return Variant::kNft;
  ASSIGN_OR_RETURN(const bool nft_has_it,
                   nftables_->has_table(iptables_nft::table_id(scope.family, scope.table)));
  if (!nft_has_it) return Variant::kLegacy;
  const auto installed = Iptables::find(scope.family);
  return installed ? installed->version().variant : Variant::kNft;
}

Status IptablesAccess::change(const IptablesScope& scope, const IptablesPlanner& plan) {
  ASSIGN_OR_RETURN(const Variant variant, variant_in_use(scope));
  return variant == Variant::kNft ? change_nft(*nftables_, scope, plan)
                                  : change_legacy(scope, plan);
}

Status IptablesAccess::clean(const IptablesScope& scope, const IptablesPlanner& plan) {
  const Status cleaned = nftables_ ? change_nft(*nftables_, scope, plan) : Status();
  if (legacy_iptables_in_use(scope.family)) RETURN_IF_ERROR(change_legacy(scope, plan));
  return cleaned;
}

Result<PresentChains> IptablesAccess::read(const IptablesScope& scope) {
  ASSIGN_OR_RETURN(const Variant variant, variant_in_use(scope));
  if (variant == Variant::kNft) return read_nft(*nftables_, scope);
  ASSIGN_OR_RETURN(const Iptables iptables, find_legacy(scope.family));
  return read_legacy(iptables, scope);
}

Result<PresentChains> IptablesAccess::read_all(const IptablesScope& scope) {
  PresentChains chains;
  if (nftables_) {
    ASSIGN_OR_RETURN(chains, read_nft(*nftables_, scope));
  }
  if (!legacy_iptables_in_use(scope.family)) return chains;
  ASSIGN_OR_RETURN(const Iptables iptables, find_legacy(scope.family));
  ASSIGN_OR_RETURN(const PresentChains legacy, read_legacy(iptables, scope));
  for (const auto& [name, rules] : legacy)
    chains[name].insert(chains[name].end(), rules.begin(), rules.end());
  return chains;
}

}  // namespace weft::kernel
