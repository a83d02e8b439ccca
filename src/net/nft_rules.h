// nft_rules.h: rules put together by what they mean, exactly as nft(8) would write them.
//
//   const Rule rule = RuleWriter(TableFamily::kIp)
//                         .source_in(pods)
//                         .destination_not_in(pods)
//                         .masquerade({.fully_random = true});
//
// Same registers, same shortened loads, same tests of the protocol in front, so that stock
// `nft list` prints the rule as a person would have typed it and the kernel reports it back
// equal. Only one thing is left out: nft folds two tests for equality of neighbouring fields
// (a host's saddr and daddr, sport and dport) into one load, which it prints the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/nft.h"

namespace weft::nft {

enum class L4Protocol : std::uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };

/// IP_CT_*: bits of `ct state` as the kernel tests them.
namespace ct_state {
inline constexpr std::uint32_t kInvalid = 1;
inline constexpr std::uint32_t kEstablished = 2;
inline constexpr std::uint32_t kRelated = 4;
inline constexpr std::uint32_t kNew = 8;
inline constexpr std::uint32_t kUntracked = 64;
}  // namespace ct_state

struct PortChoice {
  bool random = false;
  bool fully_random = false;
  bool persistent = false;
};

/// Writes one rule from left to right. Addresses must be of a family that the table sees.
class RuleWriter {
 public:
  explicit RuleWriter(TableFamily family) : family_(family) {}

  // Conditions.
  RuleWriter& source_in(const Prefix& prefix);           ///< ip saddr PREFIX
  RuleWriter& source_not_in(const Prefix& prefix);       ///< ip saddr != PREFIX
  RuleWriter& destination_in(const Prefix& prefix);      ///< ip daddr PREFIX
  RuleWriter& destination_not_in(const Prefix& prefix);  ///< ip daddr != PREFIX
  RuleWriter& source_in_set(Family family, std::string set, bool inverted = false);
  RuleWriter& destination_in_set(Family family, std::string set, bool inverted = false);
  RuleWriter& family_is(Family family);                    ///< meta nfproto ipv4
  RuleWriter& ether_source_is(const MacAddress& mac);      ///< ether saddr MAC
  RuleWriter& ether_source_is_not(const MacAddress& mac);  ///< ether saddr != MAC
  RuleWriter& mark_is(std::uint32_t value, std::uint32_t mask = kWholeMark);
  RuleWriter& mark_is_not(std::uint32_t value, std::uint32_t mask = kWholeMark);
  /// iifname NAME; a name that ends in "*" stands for all that begin so.
  RuleWriter& incoming_link_is(std::string_view name);
  RuleWriter& incoming_link_is_not(std::string_view name);
  RuleWriter& outgoing_link_is(std::string_view name);
  RuleWriter& outgoing_link_is_not(std::string_view name);
  /// meta l4proto PROTOCOL
  RuleWriter& protocol_is(L4Protocol protocol);
  RuleWriter& source_port_is(L4Protocol protocol, std::uint16_t port);       ///< tcp sport PORT
  RuleWriter& destination_port_is(L4Protocol protocol, std::uint16_t port);  ///< tcp dport PORT
  RuleWriter& ct_state(std::uint32_t any_of);   ///< ct state established,related
  RuleWriter& ct_status(std::uint32_t any_of);  ///< ct status dnat
  RuleWriter& destination_is_local();           ///< fib daddr type local
  RuleWriter& source_is_local();                ///< fib saddr type local

  // What happens on the way.
  RuleWriter& counter();
  RuleWriter& set_mark(std::uint32_t value);    ///< meta mark set VALUE
  RuleWriter& add_to_mark(std::uint32_t bits);  ///< meta mark set meta mark | BITS
  RuleWriter& limit(std::uint64_t packets_per_second, std::uint32_t burst = 5);
  RuleWriter& notrack();
  RuleWriter& comment(std::string text);
  /// Any other expression, taken as it is.
  RuleWriter& expression(Expression expression);

  // Ends.
  RuleWriter& accept();
  RuleWriter& drop();
  RuleWriter& return_from_chain();
  RuleWriter& jump(std::string chain);
  RuleWriter& go_to(std::string chain);
  RuleWriter& masquerade(const PortChoice& choice = {});
  /// dnat to ADDRESS[:PORT]; with a port only behind a test of the L4 protocol.
  RuleWriter& dnat(const IpAddress& address, std::optional<std::uint16_t> port = {});
  RuleWriter& snat(const IpAddress& address, const PortChoice& choice = {});
  RuleWriter& redirect_to_port(std::uint16_t port);
  /// With the table family's ordinary answer: port unreachable.
  RuleWriter& reject();

  // NOLINTNEXTLINE(google-explicit-constructor): a finished writer is the rule.
  operator Rule() const { return rule_; }
  Rule rule() const { return rule_; }

  static constexpr std::uint32_t kWholeMark = 0xffffffff;

 private:
  RuleWriter& address_test(bool source, const Prefix& prefix, CompareOp op);
  RuleWriter& address_lookup(bool source, Family family, std::string set, bool inverted);
  RuleWriter& ether_source(const MacAddress& mac, CompareOp op);
  RuleWriter& mark_test(std::uint32_t value, std::uint32_t mask, CompareOp op);
  RuleWriter& link_test(MetaKey key, std::string_view name, CompareOp op);
  RuleWriter& port_test(L4Protocol protocol, std::uint32_t offset, std::uint16_t port);
  RuleWriter& any_bit(CtKey key, std::uint32_t bits);
  RuleWriter& verdict(Verdict::Code code, std::string chain = {});
  RuleWriter& nat(Nat::Type type, const IpAddress& address, std::optional<std::uint16_t> port,
                  std::uint32_t flags);
  /// The test that the packet is of that family, where the table sees others as well.
  void need_network(Family family);
  void need_link_header();
  RuleWriter& append(Expression expression);

  TableFamily family_;
  std::optional<Family> network_ = {};        // what the rule has already tested
  std::optional<L4Protocol> transport_ = {};  // likewise
  bool link_header_ = false;                  // likewise
  Rule rule_ = {};
};

/// The elements of an interval set that holds these prefixes, overlaps merged, as nft(8) lays
/// them down. All must be of one family.
std::vector<Element> interval_elements(std::vector<Prefix> prefixes);

/// One key out of several fields: each padded with zeros to 4 bytes.
Bytes concatenate(const std::vector<Bytes>& fields);
Bytes network_order(std::uint16_t value);
Bytes host_order(std::uint32_t value);
/// A device name as sets of type ifname hold it: 16 bytes.
Bytes link_name_bytes(std::string_view name);

}  // namespace weft::nft
