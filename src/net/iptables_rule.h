// iptables_rule.h: one rule of iptables as a value, and its words.
//
// It has what the CNI plugins' rules are made of. The words are those that iptables-save prints,
// so that a rule that was read and one that is wanted are equal when their words are. What
// iptables-nft makes of a rule in nf_tables is in kernel/iptables_nft_codec.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/address.h"
#include "net/nft_rules.h"

namespace weft {

namespace iptables {

struct AddressTest {
  Prefix prefix = {};
  bool inverted = false;
  bool operator==(const AddressTest&) const = default;
};

/// A name that ends in "+" stands for all that begin so.
struct LinkTest {
  std::string name = {};
  bool inverted = false;
  bool operator==(const LinkTest&) const = default;
};

/// At most 255 bytes.
struct Comment {
  std::string text = {};
  bool operator==(const Comment&) const = default;
};

/// -m conntrack --ctstate
struct ConnectionState {
  std::uint32_t any_of = 0;  ///< of nft::ct_state, kUntracked aside
  bool inverted = false;
  bool operator==(const ConnectionState&) const = default;
};

/// -m addrtype: the address is one of this machine's.
struct LocalAddress {
  bool source = false;  ///< else the destination
  bool inverted = false;
  bool operator==(const LocalAddress&) const = default;
};

/// -m tcp --dport, or of the rule's other protocol
struct DestinationPort {
  std::uint16_t port = 0;
  bool operator==(const DestinationPort&) const = default;
};

/// -m multiport --dports
struct DestinationPorts {
  static constexpr std::size_t kMost = 15;
  std::vector<std::uint16_t> ports = {};
  bool operator==(const DestinationPorts&) const = default;
};

/// -m mark --mark
struct MarkTest {
  std::uint32_t value = 0;
  std::uint32_t mask = nft::RuleWriter::kWholeMark;
  bool inverted = false;
  bool operator==(const MarkTest&) const = default;
};

/// What is not taken apart: an operator's words, or in brackets an expression of somebody else's
/// rule that weft does not know.
struct Words {
  std::string text = {};
  bool operator==(const Words&) const = default;
};

using Match = std::variant<Comment, ConnectionState, LocalAddress, DestinationPort,
                           DestinationPorts, MarkTest, Words>;

/// -j: ACCEPT, DROP, RETURN or a chain; none when empty.
struct Jump {
  std::string to = {};
  bool operator==(const Jump&) const = default;
};
/// -j MARK --set-xmark
struct SetMark {
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
  bool operator==(const SetMark&) const = default;
};
/// -j DNAT --to-destination
struct DestinationNat {
  IpAddress address = {};
  std::uint16_t port = 0;
  bool operator==(const DestinationNat&) const = default;
};
struct Masquerade {
  bool operator==(const Masquerade&) const = default;
};

using Target = std::variant<Jump, SetMark, DestinationNat, Masquerade>;

}  // namespace iptables

struct IptablesRule {
  std::optional<iptables::AddressTest> source = {};
  std::optional<iptables::AddressTest> destination = {};
  std::optional<iptables::LinkTest> incoming = {};
  std::optional<iptables::LinkTest> outgoing = {};
  std::optional<nft::L4Protocol> protocol = {};
  std::vector<iptables::Match> matches = {};  ///< in the order in which they were given
  iptables::Target target = {};

  /// The words behind "-A CHAIN ", as iptables-save prints them.
  std::string words() const;
  /// False when it holds words that only iptables itself understands.
  bool is_understood() const;
  bool operator==(const IptablesRule&) const = default;
};

namespace iptables {

/// Adds conditions that an operator wrote as words of iptables ("-s", "10.0.0.0/8", "!", "-i",
/// "eth0"). What is not known here is kept as Words, all of it.
void add_conditions(IptablesRule& rule, const std::vector<std::string>& words);

/// A text as iptables-save puts it, in double quotes where it needs them.
std::string quoted(std::string_view text);

/// "tcp", "udp" or "sctp", in any case; nothing for others.
std::optional<nft::L4Protocol> parse_protocol(std::string_view name);
std::string_view to_string(nft::L4Protocol protocol);

/// The chain that the words of a rule jump to; empty when there is none.
std::string_view jump_of(std::string_view words);

}  // namespace iptables

}  // namespace weft
