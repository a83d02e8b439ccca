#include "cni/masquerade_rules.h"

#include "net/nft_rules.h"

namespace weft::cni {
namespace {

constexpr std::size_t kLongestComment = 127;
constexpr const char* kPostrouting = "POSTROUTING";

Prefix multicast(Family family) {
  return *Prefix::parse(family == Family::kIpv4 ? "224.0.0.0/4" : "ff00::/8");
}

}  // namespace

nft::TableContents masquerade_table() {
  constexpr auto kFamily = nft::TableFamily::kInet;
  nft::TableContents contents;
  contents.table = {
      .id = {.family = kFamily, .name = "cni_plugins_masquerade"},
      .comment = "Masquerading for plugins from github.com/containernetworking/plugins"};
  contents.add(
      nft::Chain{.name = std::string(kMasqueradeChecks),
                 .comment = "Masquerade traffic from certain IPs to any (non-multicast) IP outside "
                            "their subnet"});
  contents.add(
      nft::Chain{.name = "postrouting",
                 .hook = nft::Hook{.type = "nat",
                                   .point = nft::HookPoint::kPostrouting,
                                   .priority = nft::priority::kSrcNat}},
      {nft::RuleWriter(kFamily).destination_in(multicast(Family::kIpv4)).return_from_chain(),
       nft::RuleWriter(kFamily).destination_in(multicast(Family::kIpv6)).return_from_chain(),
       nft::RuleWriter(kFamily).go_to(std::string(kMasqueradeChecks))});
  return contents;
}

nft::Rule masquerade_rule(const AttachmentName& attachment, const InterfaceAddress& address) {
  const std::string comment = attachment_hash(attachment) + ", net: " + attachment.network +
                              ", if: " + attachment.ifname + ", id: " + attachment.container_id;
  return nft::RuleWriter(nft::TableFamily::kInet)
      .source_in(Prefix::host(address.address))
      .destination_not_in(address.network())
      .masquerade()
      .comment(comment.substr(0, kLongestComment));
}

std::vector<std::string> iptables_masquerade_chains(const AttachmentName& attachment) {
  return {kPostrouting, container_chain(attachment)};
}

IptablesEdits plan_iptables_masquerade(const AttachmentName& attachment,
                                       const std::vector<InterfaceAddress>& addresses,
                                       const PresentChains& present) {
  IptablesPlan plan(present);
  if (addresses.empty()) return {};
  const std::string chain = container_chain(attachment);
  const std::vector<iptables::Match> comment = {iptables::Comment{container_comment(attachment)}};
  std::vector<IptablesRule> rules;
  std::vector<IptablesRule> jumps;
  for (const auto& address : addresses) {
    rules.push_back({.destination = iptables::AddressTest{address.network()},
                     .matches = comment,
                     .target = iptables::Jump{"ACCEPT"}});
    jumps.push_back({.source = iptables::AddressTest{Prefix::host(address.address)},
                     .matches = comment,
                     .target = iptables::Jump{chain}});
  }
  rules.push_back(
      {.destination = iptables::AddressTest{multicast(addresses[0].address.family()), true},
       .matches = comment,
       .target = iptables::Masquerade{}});
  plan.need_whole_chain(chain, rules);
  plan.need_jumps(kPostrouting, chain, jumps, IptablesPlan::Place::kEnd);
  return plan.edits();
}

IptablesEdits plan_iptables_unmasquerade(const std::string& chain, const PresentChains& present) {
  IptablesPlan plan(present);
  plan.drop_jumps(kPostrouting, chain);
  plan.drop_chain(chain);
  return plan.edits();
}

}  // namespace weft::cni
