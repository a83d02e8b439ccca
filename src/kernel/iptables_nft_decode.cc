// iptables_nft_decode.cc: a rule of iptables out of nf_tables' expressions.
#include <endian.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernel/iptables_nft_codec.h"
#include "kernel/iptables_nft_structs.h"
#include "kernel/netlink_message.h"

namespace weft::kernel::iptables_nft {
namespace {

using namespace iptables;
using nft::Bytes;

constexpr std::uint16_t kEveryPort = 0xffff;
constexpr std::uint32_t kDestinationPortOffset = 2;  // in TCP, UDP and SCTP headers alike
constexpr std::uint32_t kKnownStates = nft::ct_state::kInvalid | nft::ct_state::kEstablished |
                                       nft::ct_state::kRelated | nft::ct_state::kNew;

std::optional<std::uint32_t> host_number(std::string_view bytes) {
  std::uint32_t value = 0;
  if (bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// The number of leading one bits; nothing when others follow a zero.
std::optional<std::uint8_t> prefix_length(std::string_view mask) {
  std::size_t length = 0;
  bool ended = false;
  for (const char c : mask)
    for (unsigned bit = 0x80; bit != 0; bit >>= 1U) {
      const bool set = (static_cast<unsigned char>(c) & bit) != 0;
      if (set && ended) return std::nullopt;
      if (set) ++length;
      ended = !set;
    }
  return static_cast<std::uint8_t>(length);
}

class Reader {
 public:
  Reader(const nft::Rule& rule, Family family) : expressions_(rule.expressions), family_(family) {}

  IptablesRule read() {
    while (at_ < expressions_.size()) {
      const std::size_t begin = at_;
      if (read_one()) continue;
      at_ = begin + 1;
      unknown(expressions_[begin]);
    }
    return std::move(rule_);
  }

 private:
  // The next expression when it is of that kind.
  template <class Kind>
  const Kind* take() {
    if (at_ == expressions_.size()) return nullptr;
    const auto* found = std::get_if<Kind>(&expressions_[at_]);
    if (found != nullptr) ++at_;
    return found;
  }

  bool read_one() {
    if (const auto* meta = take<nft::MetaLoad>()) return meta_test(*meta);
    if (const auto* payload = take<nft::PayloadLoad>()) return payload_test(*payload);
    if (const auto* immediate = take<nft::Immediate>()) return verdict(*immediate);
    if (take<nft::Counter>() != nullptr) return true;
    if (const auto* masquerade = take<nft::Masquerade>()) {
      rule_.target = iptables::Masquerade{};
      return *masquerade == nft::Masquerade{};
    }
    const auto* opaque = take<nft::Opaque>();
    return opaque != nullptr && extension(*opaque);
  }

  // How a test ends: [bitwise] cmp.
  struct Comparison {
    std::optional<Bytes> mask = {};
    Bytes data = {};
    bool inverted = false;
  };
  std::optional<Comparison> comparison() {
    Comparison result;
    if (const auto* bitwise = take<nft::Bitwise>()) {
      if (bitwise->flip.find_first_not_of('\0') != Bytes::npos) return std::nullopt;
      result.mask = bitwise->mask;
    }
    const auto* compare = take<nft::Compare>();
    if (compare == nullptr ||
        (compare->op != nft::CompareOp::kEqual && compare->op != nft::CompareOp::kNotEqual))
      return std::nullopt;
    result.data = compare->data;
    result.inverted = compare->op == nft::CompareOp::kNotEqual;
    return result;
  }

  bool meta_test(const nft::MetaLoad& meta) {
    const auto test = comparison();
    if (!test) return false;
    switch (meta.key) {
      case nft::MetaKey::kL4Proto:
        return protocol(*test);
      case nft::MetaKey::kIifName:
        return link(rule_.incoming, *test);
      case nft::MetaKey::kOifName:
        return link(rule_.outgoing, *test);
      case nft::MetaKey::kMark:
        return mark(*test);
      default:
        return false;
    }
  }

  bool protocol(const Comparison& test) {
    if (test.mask || test.inverted || test.data.size() != 1) return false;
    const auto number = static_cast<nft::L4Protocol>(test.data[0]);
    if (iptables::to_string(number).empty() || rule_.protocol) return false;
    rule_.protocol = number;
    return true;
  }

  static bool link(std::optional<LinkTest>& target, const Comparison& test) {
    if (test.mask || target) return false;
    const std::size_t end = test.data.find('\0');
    target =
        LinkTest{end == Bytes::npos ? test.data + '+' : test.data.substr(0, end), test.inverted};
    return true;
  }

  bool mark(const Comparison& test) {
    const auto value = host_number(test.data);
    const auto mask =
        test.mask ? host_number(*test.mask) : std::optional(nft::RuleWriter::kWholeMark);
    if (!value || !mask) return false;
    rule_.matches.emplace_back(MarkTest{*value, *mask, test.inverted});
    return true;
  }

  bool payload_test(const nft::PayloadLoad& load) {
    const auto test = comparison();
    if (!test || test->data.size() != load.length) return false;
    if (load.base == nft::PayloadBase::kTransport) return port(load, *test);
    if (load.base != nft::PayloadBase::kNetwork) return false;
    const bool v4 = family_ == Family::kIpv4;
    if (load.offset == (v4 ? 12 : 8)) return address(rule_.source, *test);
    if (load.offset == (v4 ? 16 : 24)) return address(rule_.destination, *test);
    return false;
  }

  bool port(const nft::PayloadLoad& load, const Comparison& test) {
    if (load.offset != kDestinationPortOffset || load.length != 2 || test.mask || test.inverted ||
        !rule_.protocol)
      return false;
    const auto high = static_cast<unsigned char>(test.data[0]);
    const auto low = static_cast<unsigned char>(test.data[1]);
    rule_.matches.emplace_back(DestinationPort{static_cast<std::uint16_t>(high << 8U | low)});
    return true;
  }

  // Whole bytes of a prefix are compared as a shorter field.
  bool address(std::optional<AddressTest>& target, const Comparison& test) const {
    const std::size_t size = address_bits(family_) / 8U;
    if (target || test.data.empty() || test.data.size() > size) return false;
    auto length = static_cast<std::uint8_t>(test.data.size() * 8);
    if (test.mask) {
      const auto masked = prefix_length(*test.mask);
      if (!masked || test.mask->size() != test.data.size()) return false;
      length = *masked;
    }
    Bytes bytes = test.data;
    bytes.resize(size, '\0');
    const auto parsed = IpAddress::from_bytes(bytes);
    if (!parsed) return false;
    target = AddressTest{Prefix(*parsed, length), test.inverted};
    return true;
  }

  bool verdict(const nft::Immediate& immediate) {
    const auto* verdict = std::get_if<nft::Verdict>(&immediate.data);
    if (verdict == nullptr) return false;
    using Code = nft::Verdict::Code;
    switch (verdict->code) {
      case Code::kAccept:
        rule_.target = Jump{"ACCEPT"};
        return true;
      case Code::kDrop:
        rule_.target = Jump{"DROP"};
        return true;
      case Code::kReturn:
        rule_.target = Jump{"RETURN"};
        return true;
      case Code::kJump:
        rule_.target = Jump{verdict->chain};
        return true;
      default:
        return false;
    }
  }

  bool extension(const nft::Opaque& opaque) {
    const Attributes attributes(opaque.data);
    const auto name = attributes.string(NFTA_MATCH_NAME);
    const std::uint32_t revision = attributes.be32(NFTA_MATCH_REV).value_or(0);
    const std::string_view info = attributes.find(NFTA_MATCH_INFO).value_or("");
    if (!name) return false;
    return opaque.name == "match" ? match(*name, revision, info)
                                  : opaque.name == "target" && target(*name, revision, info);
  }

  bool match(const std::string& name, std::uint32_t revision, std::string_view info) {
    if (name == "comment") return comment(info);
    if (name == "conntrack" && revision == 3) return conntrack(info);
    if (name == "addrtype" && revision == 1) return address_type(info);
    if (name == "multiport" && revision == 1) return ports(info);
    if (name == "mark" && revision == 1) return mark_match(info);
    if (name == "tcp") return tcp(info);
    if (name == "udp") return udp(info);
    return name == "sctp" && sctp(info);
  }

  bool add(Match match) {
    rule_.matches.push_back(std::move(match));
    return true;
  }

  bool comment(std::string_view info) {
    const std::string_view text = info.substr(0, XT_MAX_COMMENT_LEN - 1);
    return add(Comment{std::string(text.substr(0, text.find('\0')))});
  }
  bool conntrack(std::string_view bytes) {
    const auto info = read_info<xt_conntrack_mtinfo3>(bytes);
    if (!info || info->match_flags != XT_CONNTRACK_STATE || (info->state_mask & ~kKnownStates) != 0)
      return false;
    return add(ConnectionState{info->state_mask, info->invert_flags == XT_CONNTRACK_STATE});
  }
  bool address_type(std::string_view bytes) {
    const auto info = read_info<xt_addrtype_info_v1>(bytes);
    if (!info) return false;
    const auto only = [](std::uint16_t is, std::uint16_t other, std::uint32_t flags,
                         std::uint32_t inversion) {
      return is == XT_ADDRTYPE_LOCAL && other == 0 && (flags & ~inversion) == 0;
    };
    if (only(info->dest, info->source, info->flags, XT_ADDRTYPE_INVERT_DEST))
      return add(LocalAddress{false, info->flags != 0});
    if (only(info->source, info->dest, info->flags, XT_ADDRTYPE_INVERT_SOURCE))
      return add(LocalAddress{true, info->flags != 0});
    return false;
  }
  bool ports(std::string_view bytes) {
    const auto info = read_info<xt_multiport_v1>(bytes);
    if (!info || info->flags != XT_MULTIPORT_DESTINATION || info->invert != 0 ||
        info->count > XT_MULTI_PORTS)
      return false;
    const auto* ranges = std::find_if(std::begin(info->pflags), std::end(info->pflags),
                                      [](std::uint8_t flag) { return flag != 0; });
    if (ranges != std::end(info->pflags)) return false;
    return add(DestinationPorts{{info->ports, info->ports + info->count}});
  }
  bool mark_match(std::string_view bytes) {
    const auto info = read_info<xt_mark_mtinfo1>(bytes);
    return info && add(MarkTest{info->mark, info->mask, info->invert != 0});
  }

  bool single_port(const std::uint16_t (&destination)[2]) {
    return rule_.protocol && destination[0] == destination[1] &&
           add(DestinationPort{destination[0]});
  }
  static bool is_every_port(const std::uint16_t (&source)[2]) {
    return source[0] == 0 && source[1] == kEveryPort;
  }
  bool tcp(std::string_view bytes) {
    const auto info = read_info<xt_tcp>(bytes);
    return info && info->option == 0 && info->flg_mask == 0 && info->invflags == 0 &&
           is_every_port(info->spts) && single_port(info->dpts);
  }
  bool udp(std::string_view bytes) {
    const auto info = read_info<xt_udp>(bytes);
    return info && info->invflags == 0 && is_every_port(info->spts) && single_port(info->dpts);
  }
  bool sctp(std::string_view bytes) {
    const auto info = read_info<SctpInfo>(bytes);
    return info && info->flags == kSctpDestinationPorts && info->invflags == 0 &&
           single_port(info->dpts);
  }

  bool target(const std::string& name, std::uint32_t revision, std::string_view info) {
    if (name == "MARK" && revision == 2) return set_mark(info);
    if (name == "DNAT" && revision >= 1) return destination_nat(info);
    return name == "MASQUERADE" && masquerade(info);
  }
  bool set_mark(std::string_view bytes) {
    const auto info = read_info<xt_mark_tginfo2>(bytes);
    if (!info) return false;
    rule_.target = SetMark{info->mark, info->mask};
    return true;
  }
  // Revision 1 has the same fields but for the last one.
  bool destination_nat(std::string_view bytes) {
    const auto range = read_info<nf_nat_range>(bytes);
    if (!range || range->flags != (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED) ||
        range->min_proto.all != range->max_proto.all)
      return false;
    const auto address = nat_address(range->min_addr);
    if (!address || address != nat_address(range->max_addr)) return false;
    rule_.target = DestinationNat{*address, be16toh(range->min_proto.all)};
    return true;
  }
  std::optional<IpAddress> nat_address(const nf_inet_addr& address) const {
    return IpAddress::from_bytes(
        {reinterpret_cast<const char*>(&address), address_bits(family_) / 8U});
  }
  bool masquerade(std::string_view bytes) {
    // Flags come first in IPv6's struct, second in IPv4's.
    const std::size_t flags = family_ == Family::kIpv6 ? 0 : sizeof(unsigned int);
    if (bytes.size() < flags + 4 || host_number(bytes.substr(flags, 4)) != 0U) return false;
    rule_.target = iptables::Masquerade{};
    return true;
  }

  void unknown(const nft::Expression& expression) {
    const auto* opaque = std::get_if<nft::Opaque>(&expression);
    std::string text = "[";
    text += opaque != nullptr
                ? Attributes(opaque->data).string(NFTA_MATCH_NAME).value_or(opaque->name)
                : "expression " + std::to_string(expression.index());
    rule_.matches.emplace_back(Words{text + "]"});
  }

  const std::vector<nft::Expression>& expressions_;
  Family family_;
  std::size_t at_ = 0;
  IptablesRule rule_ = {};
};

}  // namespace

IptablesRule decode(const nft::Rule& rule, Family family) {
  return Reader(rule, family).read();
}

}  // namespace weft::kernel::iptables_nft
