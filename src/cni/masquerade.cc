#include "cni/masquerade.h"

#include <functional>

#include "cni/masquerade_iptables.h"

namespace weft::cni {
namespace {

using kernel::IptablesAccess;
using kernel::Nftables;
using kernel::Transaction;

const std::vector<nft::Rule>* rules_of(const std::optional<nft::TableContents>& contents,
                                       std::string_view chain) {
  if (!contents) return nullptr;
  const auto found = contents->rules.find(std::string(chain));
  return found == contents->rules.end() ? nullptr : &found->second;
}

// What of the table is missing or was changed by hand.
void put_table(const std::optional<nft::TableContents>& present, Transaction& transaction) {
  const nft::TableContents wanted = masquerade_table();
  const nft::TableId& id = wanted.table.id;
  if (!present) transaction.put_table(wanted.table);
  for (const auto& [name, chain] : wanted.chains) {
    if (!present || !present->chains.contains(name)) transaction.put_chain(id, chain);
    const auto* rules = rules_of(present, name);
    const auto desired = wanted.rules.find(name);
    if (desired == wanted.rules.end() || desired->second.empty()) continue;
    if (rules && *rules == desired->second) continue;
    if (rules && !rules->empty()) transaction.flush_chain(id, name);
    for (const auto& rule : desired->second) transaction.append_rule(id, name, rule);
  }
}

void drop_rules(const std::optional<nft::TableContents>& present,
                const std::function<bool(const nft::Rule&)>& goes, Transaction& transaction) {
  const auto* rules = rules_of(present, kMasqueradeChecks);
  if (rules == nullptr) return;
  for (const auto& rule : *rules)
    if (goes(rule)) transaction.drop_rule(present->table.id, kMasqueradeChecks, rule.handle);
}

std::string owner_of(const nft::Rule& rule) {
  return rule.comment.substr(0, rule.comment.find(','));
}

CniStatus change(Nftables& nftables, const Nftables::Plan& plan) {
  RETURN_IF_ERROR(nftables.change(masquerade_table().table.id, plan));
  return {};
}

CniStatus add_with_nftables(Nftables& nftables, const AttachmentName& attachment,
                            const std::vector<InterfaceAddress>& addresses) {
  const std::string hash = attachment_hash(attachment);
  return change(nftables, [&](const auto& present, Transaction& transaction) {
    put_table(present, transaction);
    drop_rules(
        present, [&](const nft::Rule& rule) { return owner_of(rule) == hash; }, transaction);
    for (const auto& address : addresses)
      transaction.append_rule(masquerade_table().table.id, kMasqueradeChecks,
                              masquerade_rule(attachment, address));
  });
}

// Where the kernel has no nf_tables there is nothing to take away.
CniStatus drop_from_nftables(Nftables* nftables,
                             const std::function<bool(const nft::Rule&)>& goes) {
  if (nftables == nullptr) return {};
  return change(*nftables, [&](const auto& present, Transaction& transaction) {
    drop_rules(present, goes, transaction);
  });
}

}  // namespace

CniStatus add_masquerade(const AttachmentName& attachment,
                         const std::vector<InterfaceAddress>& addresses,
                         const std::string& backend) {
  auto iptables = IptablesAccess::open();
  if (backend != "iptables" && iptables.nftables() != nullptr)
    return add_with_nftables(*iptables.nftables(), attachment, addresses);
  if (backend == "nftables") return refuse("the kernel has no nf_tables");
  return add_iptables_masquerade(iptables, attachment, addresses);
}

CniStatus remove_masquerade(const AttachmentName& attachment) {
  auto iptables = IptablesAccess::open();
  const std::string hash = attachment_hash(attachment);
  const CniStatus removed = drop_from_nftables(
      iptables.nftables(), [&](const nft::Rule& rule) { return owner_of(rule) == hash; });
  RETURN_IF_ERROR(remove_iptables_masquerade(iptables, attachment));
  return removed;
}

CniStatus collect_masquerade(const std::string& network, const std::vector<Attachment>& valid) {
  auto iptables = IptablesAccess::open();
  const StaleOwners stale(network, valid);
  const CniStatus collected = drop_from_nftables(
      iptables.nftables(), [&](const nft::Rule& rule) { return stale.contains(owner_of(rule)); });
  RETURN_IF_ERROR(collect_iptables_masquerade(iptables, network, valid));
  return collected;
}

}  // namespace weft::cni
