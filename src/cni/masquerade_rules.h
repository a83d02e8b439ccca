// masquerade_rules.h: masquerading of one attachment's addresses, as nftables and as iptables.
// Pure.
//
// Tables, chains, rules and comments are those of containernetworking/plugins
// (pkg/ip/ipmasq_{nftables,iptables}_linux.go), so that either side can take away what the other
// made. The comment of an nftables rule begins with the hash of its attachment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cni/attachment_name.h"
#include "net/address.h"
#include "net/iptables_plan.h"
#include "net/nft.h"

namespace weft::cni {

inline constexpr std::string_view kMasqueradeChecks = "masq_checks";

/// The table with its chains and without any attachment.
nft::TableContents masquerade_table();
/// Traffic from the address to anywhere outside its network, multicast aside.
nft::Rule masquerade_rule(const AttachmentName& attachment, const InterfaceAddress& address);

/// The chains of table nat that a plan for an attachment has to see.
std::vector<std::string> iptables_masquerade_chains(const AttachmentName& attachment);
/// Masquerading of its addresses of one family with iptables. What is left of an earlier
/// attachment of that name goes.
IptablesEdits plan_iptables_masquerade(const AttachmentName& attachment,
                                       const std::vector<InterfaceAddress>& addresses,
                                       const PresentChains& present);
/// Takes the chain of a container away, with every jump to it.
IptablesEdits plan_iptables_unmasquerade(const std::string& chain, const PresentChains& present);

}  // namespace weft::cni
