// masquerade_rules.h: masquerading of one attachment's addresses, as nftables. Pure.
//
// Table, chains, rules and comments are those of containernetworking/plugins
// (pkg/ip/ipmasq_nftables_linux.go), so that either side can take away what the other made.
// A rule's comment begins with two hashes, of the network and of the interface with its
// container: the owner is found by them and not by addresses that may be gone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/iptables.h"
#include "net/nft.h"

namespace weft::cni {

/// One interface of one container in one network.
struct AttachmentName {
  std::string network = {};
  std::string container_id = {};
  std::string ifname = {};
};

inline constexpr std::string_view kMasqueradeChecks = "masq_checks";

/// The table with its chains and without any attachment.
nft::TableContents masquerade_table();
/// "6fd94d501e58f0aa": what the comments of a network's rules begin with.
std::string network_hash(const std::string& network);
/// "6fd94d501e58f0aa-287fc69eff0574a2"
std::string attachment_hash(const AttachmentName& attachment);
/// Traffic from the address to anywhere outside its network, multicast aside.
nft::Rule masquerade_rule(const AttachmentName& attachment, const InterfaceAddress& address);

/// The iptables chain of a container in a network, "CNI-" and 24 hexadecimal digits
/// (containernetworking/plugins pkg/utils, FormatChainName).
std::string iptables_chain(const AttachmentName& attachment);
/// Input of iptables-restore that makes the chain of an attachment anew for its addresses of one
/// family. `present` is the table nat as it is: jumps to the chain from earlier go.
std::string iptables_masquerade(const AttachmentName& attachment,
                                const std::vector<InterfaceAddress>& addresses,
                                const IptablesTable& present);
/// Input that takes the chain away, with every jump to it; empty when there is neither.
std::string iptables_removal(const AttachmentName& attachment, const IptablesTable& present);

}  // namespace weft::cni
