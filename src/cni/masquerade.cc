#include "cni/masquerade.h"

#include <functional>
#include <set>

#include "cni/masquerade_iptables.h"
#include "kernel/nftables.h"

namespace weft::cni {
namespace {

using kernel::Nftables;
using kernel::Transaction;

// Others change nftables too; a transaction that was planned on an older generation is refused.
constexpr int kTries = 20;

using Plan = std::function<void(const std::optional<nft::TableContents>&, Transaction&)>;

// Reads the table, lets `plan` fill a transaction, and commits it on the generation it read.
CniStatus change_table(Nftables& nftables, const nft::TableId& table, const Plan& plan) {
  for (int i = 1;; ++i) {
    ASSIGN_OR_RETURN(const std::uint32_t generation, nftables.generation());
    ASSIGN_OR_RETURN(const auto contents, nftables.read(table));
    Transaction transaction;
    plan(contents, transaction);
    if (transaction.empty()) return {};
    const Status committed = nftables.commit(std::move(transaction), generation);
    if (committed) return {};
    if (committed.error().number != ERESTART || i == kTries) return CniFailure(committed.error());
  }
}

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

bool belongs_to(const nft::Rule& rule, const std::string& hash) {
  return rule.comment.starts_with(hash);
}

CniStatus add_with_nftables(Nftables& nftables, const AttachmentName& attachment,
                            const std::vector<InterfaceAddress>& addresses) {
  const nft::TableId table = masquerade_table().table.id;
  const std::string hash = attachment_hash(attachment);
  return change_table(nftables, table, [&](const auto& present, Transaction& transaction) {
    put_table(present, transaction);
    drop_rules(
        present, [&](const nft::Rule& rule) { return belongs_to(rule, hash); }, transaction);
    for (const auto& address : addresses)
      transaction.append_rule(table, kMasqueradeChecks, masquerade_rule(attachment, address));
  });
}

// Where the kernel has no nf_tables there is nothing to take away.
CniStatus drop_from_nftables(const std::function<bool(const nft::Rule&)>& goes) {
  auto nftables = Nftables::open();
  if (!nftables) return {};
  return change_table(*nftables, masquerade_table().table.id,
                      [&](const auto& present, Transaction& transaction) {
                        drop_rules(present, goes, transaction);
                      });
}

}  // namespace

CniStatus add_masquerade(const AttachmentName& attachment,
                         const std::vector<InterfaceAddress>& addresses,
                         const std::string& backend) {
  if (backend == "iptables") return add_iptables_masquerade(attachment, addresses);
  auto nftables = Nftables::open();
  if (nftables) return add_with_nftables(*nftables, attachment, addresses);
  if (backend == "nftables") return CniFailure(nftables.error());
  return add_iptables_masquerade(attachment, addresses);
}

CniStatus remove_masquerade(const AttachmentName& attachment) {
  const std::string hash = attachment_hash(attachment);
  const CniStatus removed =
      drop_from_nftables([&](const nft::Rule& rule) { return belongs_to(rule, hash); });
  RETURN_IF_ERROR(remove_iptables_masquerade(attachment));
  return removed;
}

CniStatus collect_masquerade(const std::string& network, const std::vector<Attachment>& valid) {
  std::set<std::string> kept;
  for (const auto& attachment : valid)
    kept.insert(attachment_hash({.network = network,
                                 .container_id = attachment.container_id,
                                 .ifname = attachment.ifname}));
  const std::string prefix = network_hash(network) + "-";
  return drop_from_nftables([&](const nft::Rule& rule) {
    const std::string owner = rule.comment.substr(0, rule.comment.find(','));
    return belongs_to(rule, prefix) && !kept.contains(owner);
  });
}

}  // namespace weft::cni
