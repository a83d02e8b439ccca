#include "cni/masquerade_rules.h"

#include "base/sha512.h"
#include "net/nft_rules.h"

namespace weft::cni {
namespace {

constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kLongestComment = 127;
constexpr std::size_t kChainDigits = 24;

Prefix multicast(Family family) {
  return *Prefix::parse(family == Family::kIpv4 ? "224.0.0.0/4" : "ff00::/8");
}

// Commands that take the jumps to a chain out of POSTROUTING.
std::string without_jumps(const std::string& chain, const IptablesTable& present) {
  std::string commands;
  const auto postrouting = present.chains.find("POSTROUTING");
  if (postrouting == present.chains.end()) return commands;
  for (const auto& rule : postrouting->second.rules)
    if (rule.ends_with("-j " + chain)) commands += "-D POSTROUTING " + rule + "\n";
  return commands;
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

std::string network_hash(const std::string& network) {
  return sha512_hex(network, kHashDigits);
}

std::string attachment_hash(const AttachmentName& attachment) {
  return network_hash(attachment.network) + "-" +
         sha512_hex(attachment.ifname + ":" + attachment.container_id, kHashDigits);
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

std::string iptables_chain(const AttachmentName& attachment) {
  return "CNI-" + sha512_hex(attachment.network + attachment.container_id, kChainDigits);
}

std::string iptables_masquerade(const AttachmentName& attachment,
                                const std::vector<InterfaceAddress>& addresses,
                                const IptablesTable& present) {
  if (addresses.empty()) return {};
  const std::string chain = iptables_chain(attachment);
  const std::string comment = " -m comment --comment \"name: \\\"" + attachment.network +
                              "\\\" id: \\\"" + attachment.container_id + "\\\"\"";
  const Family family = addresses[0].address.family();
  // Naming a chain that is there empties it.
  std::string script = "*nat\n:" + chain + " - [0:0]\n" + without_jumps(chain, present);
  for (const auto& address : addresses)
    script += "-A " + chain + " -d " + address.network().to_string() + comment + " -j ACCEPT\n";
  script += "-A " + chain + " ! -d " + multicast(family).to_string() + comment + " -j MASQUERADE\n";
  for (const auto& address : addresses)
    script += "-A POSTROUTING -s " + Prefix::host(address.address).to_string() + comment + " -j " +
              chain + "\n";
  return script + "COMMIT\n";
}

std::string iptables_removal(const AttachmentName& attachment, const IptablesTable& present) {
  const std::string chain = iptables_chain(attachment);
  std::string script = without_jumps(chain, present);
  if (present.chains.contains(chain)) script += "-F " + chain + "\n-X " + chain + "\n";
  return script.empty() ? script : "*nat\n" + script + "COMMIT\n";
}

}  // namespace weft::cni
