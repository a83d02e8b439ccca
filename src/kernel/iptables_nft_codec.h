// iptables_nft_codec.h: rules of iptables as iptables-nft keeps them in nf_tables. Pure.
//
// iptables 1.8 in its nft variant writes tables named as its own (filter, nat) with base chains
// named as its built-in ones. A rule is native expressions where nf_tables has them (addresses,
// devices, the protocol, its port, marks, verdicts), and where it has not, the kernel structs of
// iptables' own matches and targets inside "match" and "target" expressions. What is written
// here is to the byte what iptables 1.8.9 writes. Read is what any 1.8 wrote: releases differ in
// what they put natively.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/iptables_rule.h"
#include "net/nft.h"

namespace weft::kernel::iptables_nft {

/// "ip nat" and so on.
nft::TableId table_id(Family family, std::string_view table);

/// A built-in chain of "filter" or "nat" with its hook, as iptables-nft makes it when it is first
/// needed; nothing for names of other chains.
std::optional<nft::Chain> built_in_chain(std::string_view table, std::string_view chain);

/// REQUIRES rule.is_understood().
nft::Rule encode(const IptablesRule& rule, Family family);

/// Expressions that are not known become Words in brackets. Takes any bytes.
IptablesRule decode(const nft::Rule& rule, Family family);

}  // namespace weft::kernel::iptables_nft
