#include "cni/spoof_check.h"

#include "kernel/nftables.h"
#include "net/nft_rules.h"

namespace weft::cni {
namespace {

using kernel::Nftables;
using kernel::Transaction;

constexpr auto kFamily = nft::TableFamily::kBridge;
constexpr const char* kBaseChain = "PREROUTING";

const nft::TableId& table() {
  static const nft::TableId id{.family = kFamily, .name = "nat"};
  return id;
}

std::string chain_of(const AttachmentName& attachment) {
  return "cni-br-iface-" + attachment.container_id + "-" + attachment.ifname;
}

std::string comment_of(const AttachmentName& attachment) {
  return ("macspoofchk-" + attachment.container_id + "-" + attachment.ifname).substr(0, 127);
}

}  // namespace

CniStatus add_spoof_check(const AttachmentName& attachment, const std::string& port,
                          const MacAddress& mac) {
  RETURN_IF_ERROR(remove_spoof_check(attachment));
  ASSIGN_OR_RETURN(Nftables nftables, Nftables::open());
  const std::string chain = chain_of(attachment);
  const std::string mac_chain = chain + "-mac";
  Transaction transaction;
  transaction.put_table({.id = table()});
  transaction.put_chain(table(), {.name = kBaseChain,
                                  .hook = nft::Hook{.type = "filter",
                                                    .point = nft::HookPoint::kPrerouting,
                                                    .priority = nft::priority::kRaw}});
  transaction.put_chain(table(), {.name = chain});
  transaction.put_chain(table(), {.name = mac_chain});
  transaction.append_rule(table(), mac_chain,
                          nft::RuleWriter(kFamily).ether_source_is(mac).return_from_chain());
  transaction.append_rule(table(), mac_chain, nft::RuleWriter(kFamily).drop());
  transaction.append_rule(table(), chain, nft::RuleWriter(kFamily).jump(mac_chain));
  transaction.append_rule(
      table(), kBaseChain,
      nft::RuleWriter(kFamily).incoming_link_is(port).jump(chain).comment(comment_of(attachment)));
  const Status committed = nftables.commit(std::move(transaction));
  if (!committed)
    return because("failed to set up the MAC spoof check", CniError(committed.error()));
  return {};
}

CniStatus remove_spoof_check(const AttachmentName& attachment) {
  auto nftables = Nftables::open();
  if (!nftables) return {};
  ASSIGN_OR_RETURN(const auto present, nftables->read(table()));
  if (!present) return {};
  Transaction transaction;
  const std::string comment = comment_of(attachment);
  if (const auto rules = present->rules.find(kBaseChain); rules != present->rules.end())
    for (const auto& rule : rules->second)
      if (rule.comment == comment) transaction.drop_rule(table(), kBaseChain, rule.handle);
  const std::string chain = chain_of(attachment);
  for (const std::string& name : {chain, chain + "-mac"}) {
    if (!present->chains.contains(name)) continue;
    transaction.flush_chain(table(), name);
    transaction.drop_chain(table(), name);
  }
  if (transaction.empty()) return {};
  const Status committed = nftables->commit(std::move(transaction));
  if (!committed)
    return because("failed to remove the MAC spoof check", CniError(committed.error()));
  return {};
}

}  // namespace weft::cni
