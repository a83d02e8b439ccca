// iptables_nft_encode.cc: a rule of iptables as nf_tables' expressions.
#include <endian.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "kernel/iptables_nft_codec.h"
#include "kernel/iptables_nft_structs.h"
#include "kernel/netlink_message.h"

namespace weft::kernel::iptables_nft {
namespace {

using namespace iptables;
using nft::Bytes;

template <class Info>
nft::Opaque extension(const char* kind, std::string_view name, std::uint32_t revision,
                      const Info& info) {
  Request attributes(0, 0);
  attributes.string(NFTA_MATCH_NAME, name)
      .be32(NFTA_MATCH_REV, revision)
      .bytes(NFTA_MATCH_INFO, info_bytes(info));
  return {.name = kind, .data = Bytes(attributes.message().substr(NLMSG_HDRLEN))};
}
template <class Info>
nft::Opaque match_of(std::string_view name, std::uint32_t revision, const Info& info) {
  return extension("match", name, revision, info);
}
template <class Info>
nft::Opaque target_of(std::string_view name, std::uint32_t revision, const Info& info) {
  return extension("target", name, revision, info);
}

class Writer {
 public:
  explicit Writer(Family family) : family_(family), rule_(nft::table_family(family)) {}

  nft::Rule write(const IptablesRule& rule) {
    link(nft::MetaKey::kIifName, rule.incoming);
    link(nft::MetaKey::kOifName, rule.outgoing);
    if (rule.protocol) rule_.protocol_is(*rule.protocol);
    protocol_ = rule.protocol;
    if (rule.source) address(*rule.source, true);
    if (rule.destination) address(*rule.destination, false);
    for (const Match& match : rule.matches) std::visit(*this, match);
    rule_.counter();
    std::visit(*this, rule.target);
    nft::Rule written = rule_;
    written.checked_protocol =
        rule.protocol ? static_cast<std::uint8_t>(*rule.protocol) : std::uint8_t{0};
    return written;
  }

  void operator()(const Comment& comment) {
    xt_comment_info info{};
    comment.text.copy(info.comment, sizeof info.comment - 1);
    rule_.expression(match_of("comment", 0, info));
  }
  void operator()(const ConnectionState& state) {
    xt_conntrack_mtinfo3 info{};
    info.match_flags = XT_CONNTRACK_STATE;
    if (state.inverted) info.invert_flags = XT_CONNTRACK_STATE;
    info.state_mask = static_cast<std::uint16_t>(state.any_of);
    rule_.expression(match_of("conntrack", 3, info));
  }
  void operator()(const LocalAddress& local) {
    xt_addrtype_info_v1 info{};
    (local.source ? info.source : info.dest) = XT_ADDRTYPE_LOCAL;
    if (local.inverted)
      info.flags = local.source ? XT_ADDRTYPE_INVERT_SOURCE : XT_ADDRTYPE_INVERT_DEST;
    rule_.expression(match_of("addrtype", 1, info));
  }
  void operator()(const DestinationPort& port) {
    CHECK(protocol_);
    if (*protocol_ != nft::L4Protocol::kSctp) {
      rule_.destination_port_is(*protocol_, port.port);
      return;
    }
    SctpInfo info{};
    info.dpts[0] = info.dpts[1] = port.port;
    for (auto& flag : info.flag_info) flag[0] = kNoChunk;
    info.flags = kSctpDestinationPorts;
    rule_.expression(match_of("sctp", 0, info));
  }
  void operator()(const DestinationPorts& ports) {
    CHECK(ports.ports.size() <= XT_MULTI_PORTS);
    xt_multiport_v1 info{};
    info.flags = XT_MULTIPORT_DESTINATION;
    info.count = static_cast<std::uint8_t>(ports.ports.size());
    std::copy(ports.ports.begin(), ports.ports.end(), info.ports);
    rule_.expression(match_of("multiport", 1, info));
  }
  void operator()(const MarkTest& mark) {
    if (mark.inverted)
      rule_.mark_is_not(mark.value, mark.mask);
    else
      rule_.mark_is(mark.value, mark.mask);
  }
  void operator()(const Words&) { CHECK(false); }

  void operator()(const Jump& jump) {
    if (jump.to == "ACCEPT")
      rule_.accept();
    else if (jump.to == "DROP")
      rule_.drop();
    else if (jump.to == "RETURN")
      rule_.return_from_chain();
    else if (!jump.to.empty())
      rule_.jump(jump.to);
  }
  void operator()(const SetMark& mark) {
    rule_.expression(target_of("MARK", 2, xt_mark_tginfo2{.mark = mark.value, .mask = mark.mask}));
  }
  void operator()(const DestinationNat& nat) {
    nf_nat_range2 range{};
    range.flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
    const std::string_view bytes = nat.address.bytes();
    std::memcpy(&range.min_addr, bytes.data(), bytes.size());
    range.max_addr = range.min_addr;
    range.min_proto.all = range.max_proto.all = htobe16(nat.port);
    rule_.expression(target_of("DNAT", 2, range));
  }
  void operator()(const iptables::Masquerade&) {
    if (family_ == Family::kIpv6) {
      rule_.expression(target_of("MASQUERADE", 0, nf_nat_range{}));
      return;
    }
    nf_nat_ipv4_multi_range_compat ranges{};
    ranges.rangesize = 1;
    rule_.expression(target_of("MASQUERADE", 0, ranges));
  }

 private:
  void address(const AddressTest& test, bool source) {
    // iptables takes a test for any address as none, unless it is turned round.
    if (test.prefix.is_default() && !test.inverted) return;
    if (source)
      test.inverted ? rule_.source_not_in(test.prefix) : rule_.source_in(test.prefix);
    else
      test.inverted ? rule_.destination_not_in(test.prefix) : rule_.destination_in(test.prefix);
  }
  // Compared with its final NUL, where nft(8) compares all of the 16 bytes.
  void link(nft::MetaKey key, const std::optional<LinkTest>& test) {
    if (!test) return;
    Bytes name = test->name;
    if (name.ends_with('+'))
      name.pop_back();
    else
      name.push_back('\0');
    rule_.expression(nft::MetaLoad{.key = key});
    rule_.expression(
        nft::Compare{.op = test->inverted ? nft::CompareOp::kNotEqual : nft::CompareOp::kEqual,
                     .data = std::move(name)});
  }

  Family family_;
  std::optional<nft::L4Protocol> protocol_ = {};
  nft::RuleWriter rule_;
};

}  // namespace

nft::Rule encode(const IptablesRule& rule, Family family) {
  return Writer(family).write(rule);
}

}  // namespace weft::kernel::iptables_nft
