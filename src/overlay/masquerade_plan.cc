#include "overlay/masquerade_plan.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "net/nft_rules.h"

namespace weft::overlay {
namespace {

// kube-proxy's mark for packets that it will masquerade itself.
constexpr std::uint32_t kKubeProxyMark = 0x4000;

std::string multicast_text(Family family) {
  return family == Family::kIpv4 ? "224.0.0.0/4" : "ff00::/8";
}

std::vector<std::string> masquerade_rules(const MasqueradeFacts& facts) {
  const std::string network = facts.network.to_string();
  const std::string subnet = facts.subnet.to_string();
  const std::string comment = " -m comment --comment \"flanneld masq\" -j ";
  const std::string masquerade =
      comment + "MASQUERADE" + (facts.random_fully ? " --random-fully" : "");
  return {
      "-m mark --mark 0x4000/0x4000" + comment + "RETURN",
      "-s " + subnet + " -d " + network + comment + "RETURN",
      "-s " + network + " -d " + subnet + comment + "RETURN",
      "! -s " + network + " -d " + subnet + comment + "RETURN",
      "-s " + network + " ! -d " + multicast_text(facts.network.family()) + masquerade,
      "! -s " + network + " -d " + network + masquerade,
  };
}

std::vector<std::string> forward_rules(const MasqueradeFacts& facts) {
  const std::string network = facts.network.to_string();
  const std::string accept = " -m comment --comment \"flanneld forward\" -j ACCEPT";
  return {"-s " + network + accept, "-d " + network + accept};
}

}  // namespace

std::vector<IptablesChainPlan> plan_iptables(const MasqueradeFacts& facts) {
  std::vector<IptablesChainPlan> chains;
  if (facts.masquerade)
    chains.push_back({.table = "nat",
                      .chain = "FLANNEL-POSTRTG",
                      .rules = masquerade_rules(facts),
                      .hooked_into = "POSTROUTING",
                      .jump = "-m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG"});
  if (facts.forward)
    chains.push_back({.table = "filter",
                      .chain = "FLANNEL-FWD",
                      .rules = forward_rules(facts),
                      .hooked_into = "FORWARD",
                      .jump = "-m comment --comment \"flanneld forward\" -j FLANNEL-FWD"});
  return chains;
}

nft::TableId nftables_table(Family family, const std::string& agent) {
  std::string name = family == Family::kIpv4 ? "flannel-ipv4" : "flannel-ipv6";
  if (!agent.empty()) name += "-" + agent;
  // What `nft` reads in a name.
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.';
  };
  std::replace_if(name.begin(), name.end(), std::not_fn(is_plain), '_');
  return {.family = nft::table_family(family), .name = name};
}

nft::TableContents plan_nftables(const MasqueradeFacts& facts, const std::string& agent) {
  const nft::TableId id = nftables_table(facts.network.family(), agent);
  const auto rule = [&] { return nft::RuleWriter(id.family); };
  nft::TableContents contents;
  contents.table = {.id = id, .comment = "rules for " + id.name};
  nft::Chain forward{
      .name = "forward",
      .hook = nft::Hook{
          .type = "filter", .point = nft::HookPoint::kForward, .priority = nft::priority::kFilter}};
  std::vector<nft::Rule> accepts;
  if (facts.forward)
    accepts = {rule().source_in(facts.network).accept(),
               rule().destination_in(facts.network).accept()};
  contents.add(std::move(forward), std::move(accepts));

  nft::Chain postrouting{.name = "postrtg",
                         .hook = nft::Hook{.type = "nat",
                                           .point = nft::HookPoint::kPostrouting,
                                           .priority = nft::priority::kSrcNat}};
  std::vector<nft::Rule> rules;
  const nft::PortChoice ports{.fully_random = facts.random_fully};
  const Prefix multicast = *Prefix::parse(multicast_text(facts.network.family()));
  if (facts.masquerade)
    rules = {
        rule().mark_is(kKubeProxyMark, kKubeProxyMark).return_from_chain(),
        rule().source_in(facts.subnet).destination_in(facts.network).return_from_chain(),
        rule().source_in(facts.network).destination_in(facts.subnet).return_from_chain(),
        rule().source_not_in(facts.network).destination_in(facts.subnet).return_from_chain(),
        rule().source_in(facts.network).destination_not_in(multicast).masquerade(ports),
        rule().source_not_in(facts.network).destination_in(facts.network).masquerade(ports),
    };
  contents.add(std::move(postrouting), std::move(rules));
  return contents;
}

}  // namespace weft::overlay
