#include "overlay/forward_verdict.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/nft_rules.h"

namespace weft::overlay {
namespace {

using namespace nft;

constexpr std::uint16_t kSourcePort = 40'000;
constexpr std::uint16_t kDestinationPort = 8'080;

// What a question about the packet has for an answer; nothing when it cannot be known.
using Answer = std::optional<Bytes>;

Answer part(const Bytes& header, std::uint32_t offset, std::uint32_t length) {
  if (offset > header.size() || length > header.size() - offset) return std::nullopt;
  return header.substr(offset, length);
}

Answer payload(const ForwardedPacket& packet, const PayloadLoad& load) {
  if (load.base == PayloadBase::kTransport)
    return part(network_order(kSourcePort) + network_order(kDestinationPort), load.offset,
                load.length);
  if (load.base != PayloadBase::kNetwork) return std::nullopt;
  // Where the addresses lie in the header; the rest of it is not asked for.
  const std::uint32_t addresses = packet.source.is_v4() ? 12 : 8;
  if (load.offset < addresses) return std::nullopt;
  return part(Bytes(packet.source.bytes()) + Bytes(packet.destination.bytes()),
              load.offset - addresses, load.length);
}

Answer meta(const ForwardedPacket& packet, MetaKey key) {
  constexpr char kNfprotoIpv4 = 2;
  constexpr char kNfprotoIpv6 = 10;
  const bool v4 = packet.source.is_v4();
  switch (key) {
    case MetaKey::kIifName:
      return link_name_bytes(packet.incoming_link);
    case MetaKey::kOifName:
      return link_name_bytes(packet.outgoing_link);
    case MetaKey::kNfProto:
      return Bytes(1, v4 ? kNfprotoIpv4 : kNfprotoIpv6);
    case MetaKey::kProtocol:
      return network_order(static_cast<std::uint16_t>(v4 ? 0x0800 : 0x86dd));
    case MetaKey::kL4Proto:
      return Bytes(1, static_cast<char>(L4Protocol::kTcp));
    case MetaKey::kMark:
      return host_order(0);
    default:
      return std::nullopt;
  }
}

Answer connection(CtKey key) {
  if (key == CtKey::kState) return host_order(ct_state::kNew);
  if (key == CtKey::kStatus || key == CtKey::kMark) return host_order(0);
  return std::nullopt;
}

// The 64 bytes that expressions pass values in; a byte that cannot be known is empty.
class Registers {
 public:
  void put(Register at, std::size_t length, const Answer& value) {
    const std::size_t begin = offset(at);
    // The kernel fills whole words.
    const std::size_t end = std::min(begin + (length + 3) / 4 * 4, bytes_.size());
    for (std::size_t i = begin; i < end; ++i)
      bytes_[i] = !value                      ? std::nullopt
                  : i - begin < value->size() ? std::optional((*value)[i - begin])
                                              : std::optional('\0');
  }
  Answer get(Register at, std::size_t length) const {
    Bytes value;
    for (std::size_t i = offset(at); value.size() < length; ++i) {
      if (i >= bytes_.size() || !bytes_[i]) return std::nullopt;
      value += *bytes_[i];
    }
    return value;
  }

 private:
  static std::size_t offset(Register at) {
    const auto number = static_cast<std::size_t>(at);
    return number >= 8 ? (number - 8) * 4 : (std::max<std::size_t>(number, 1) - 1) * 16;
  }
  std::array<std::optional<char>, 64> bytes_{};
};

bool compare(CompareOp op, const Bytes& left, const Bytes& right) {
  const int order = left.compare(right);
  switch (op) {
    case CompareOp::kEqual:
      return order == 0;
    case CompareOp::kNotEqual:
      return order != 0;
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessOrEqual:
      return order <= 0;
    case CompareOp::kGreater:
      return order > 0;
    case CompareOp::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

const Element* find_element(const Set& set, const Bytes& key) {
  const Element* found = nullptr;
  const Element* otherwise = nullptr;
  for (const auto& element : set.elements) {
    if (element.catch_all) otherwise = &element;
    const bool interval = (set.flags & set_flags::kInterval) != 0;
    if (element.catch_all || (interval ? element.key > key : element.key != key)) continue;
    // Of the ends of intervals the last one at or before the key says whether the key is inside;
    // where one interval ends and the next begins, the beginning does.
    if (found == nullptr || found->key < element.key || !element.interval_end) found = &element;
  }
  return found != nullptr && !found->interval_end ? found : otherwise;
}

// What became of a rule: it did not match, the packet goes on, or its way is decided.
enum class Step { kGoOn, kNoMatch, kUnknown };

enum class End { kAccepted, kDropped, kUnknown, kReturned };

class Walk {
 public:
  Walk(const TableContents& table, const ForwardedPacket& packet)
      : table_(table), packet_(packet) {}

  std::optional<Dropped> through(const Chain& base) {
    const End end = chain(base.name, 0);
    if (end == End::kDropped) return Dropped{table_.table.id, dropped_chain_, dropped_by_};
    if (end == End::kReturned && base.hook->policy == Policy::kDrop)
      return Dropped{table_.table.id, base.name, "its policy"};
    return std::nullopt;
  }

 private:
  End chain(const std::string& name, int depth) {
    constexpr int kDeepest = 32;  // the kernel allows 16
    const auto rules = table_.rules.find(name);
    if (depth > kDeepest) return End::kUnknown;
    if (rules == table_.rules.end()) return End::kReturned;
    for (std::size_t i = 0; i < rules->second.size(); ++i) {
      const auto end = rule(rules->second[i], name, i + 1, depth);
      if (end) return *end;
    }
    return End::kReturned;
  }

  // How the walk through the chain ends with this rule, if it does.
  std::optional<End> rule(const Rule& rule, const std::string& chain_name, std::size_t number,
                          int depth) {
    verdict_.reset();
    bool certain = true;
    for (const auto& expression : rule.expressions) {
      const Step step =
          std::visit([this](const auto& about) { return this->take(about); }, expression);
      if (step == Step::kNoMatch) return std::nullopt;
      certain = certain && step != Step::kUnknown;
    }
    if (!verdict_ || verdict_->code == Verdict::Code::kContinue) return std::nullopt;
    const Verdict verdict = *verdict_;
    const bool dropped = verdict.code == Verdict::Code::kDrop;
    // A drop that may not match may be passed by; anything else that may match may save.
    if (!certain) return dropped ? std::nullopt : std::optional(End::kUnknown);
    if (dropped) {
      dropped_chain_ = chain_name;
      dropped_by_ = "rule " + std::to_string(number);
      return End::kDropped;
    }
    return follow(verdict, depth);
  }

  std::optional<End> follow(const Verdict& verdict, int depth) {
    switch (verdict.code) {
      case Verdict::Code::kAccept:
        return End::kAccepted;
      case Verdict::Code::kReturn:
        return End::kReturned;
      case Verdict::Code::kGoto:
        return chain(verdict.chain, depth + 1);
      case Verdict::Code::kJump: {
        const End end = chain(verdict.chain, depth + 1);
        return end == End::kReturned ? std::nullopt : std::optional(end);
      }
      default:
        return End::kUnknown;
    }
  }

  Step take(const MetaLoad& load) { return load_into(load.to, 16, meta(packet_, load.key)); }
  Step take(const CtLoad& load) { return load_into(load.to, 4, connection(load.key)); }
  Step take(const PayloadLoad& load) {
    return load_into(load.to, load.length, payload(packet_, load));
  }
  Step take(const Fib& fib) {
    // Neither end of a forwarded packet is the node's own: RTN_UNICAST.
    const bool type = fib.answer == Fib::Answer::kAddressType;
    return load_into(fib.to, 16, type ? Answer(host_order(1)) : std::nullopt);
  }
  Step take(const Numgen& number) { return load_into(number.to, 4, std::nullopt); }
  Step take(const Byteorder& order) { return load_into(order.to, order.length, std::nullopt); }
  Step take(const Bitwise& bits) {
    Answer value = registers_.get(bits.from, bits.mask.size());
    if (value)
      for (std::size_t i = 0; i < value->size() && i < bits.flip.size(); ++i)
        (*value)[i] = static_cast<char>(((*value)[i] & bits.mask[i]) ^ bits.flip[i]);
    return load_into(bits.to, bits.mask.size(), value);
  }
  Step take(const Compare& test) {
    const Answer value = registers_.get(test.from, test.data.size());
    if (!value) return Step::kUnknown;
    return compare(test.op, *value, test.data) ? Step::kGoOn : Step::kNoMatch;
  }
  Step take(const Range& range) {
    const Answer value = registers_.get(range.from, range.low.size());
    if (!value) return Step::kUnknown;
    const bool inside = range.low <= *value && *value <= range.high;
    return inside != range.inverted ? Step::kGoOn : Step::kNoMatch;
  }
  Step take(const Lookup& lookup) {
    const auto set = table_.sets.find(lookup.set);
    if (set == table_.sets.end() || !set->second.field_lengths.empty()) return uncertain(lookup);
    const Answer key = registers_.get(lookup.from, set->second.key_length);
    if (!key) return uncertain(lookup);
    const Element* found = find_element(set->second, *key);
    if ((found != nullptr) == lookup.inverted) return Step::kNoMatch;
    if (found == nullptr || !lookup.to) return Step::kGoOn;
    if (found->data && std::holds_alternative<Verdict>(*found->data))
      verdict_ = std::get<Verdict>(*found->data);
    else
      return load_into(*lookup.to, set->second.data_length, std::nullopt);
    return Step::kGoOn;
  }
  // A verdict that may come out of a map may be any.
  Step uncertain(const Lookup& lookup) {
    if (lookup.to == Register::kVerdict) verdict_ = Verdict{.code = Verdict::Code::kAccept};
    return Step::kUnknown;
  }
  Step take(const Immediate& value) {
    if (const auto* verdict = std::get_if<Verdict>(&value.data)) {
      verdict_ = *verdict;
      return Step::kGoOn;
    }
    const Bytes& bytes = std::get<Bytes>(value.data);
    return load_into(value.to, bytes.size(), bytes);
  }
  Step take(const Reject&) {
    verdict_ = Verdict{.code = Verdict::Code::kDrop};
    return Step::kGoOn;
  }
  Step take(const Limit&) { return Step::kUnknown; }
  Step take(const Dynset&) { return Step::kUnknown; }
  Step take(const Opaque& opaque) {
    return opaque.name == "log" || opaque.name == "flow_offload" ? Step::kGoOn : Step::kUnknown;
  }
  // What changes the packet or counts it lets it through.
  template <class Other>
  Step take(const Other&) {
    return Step::kGoOn;
  }

  Step load_into(Register to, std::size_t length, const Answer& value) {
    registers_.put(to, length, value);
    return Step::kGoOn;
  }

  const TableContents& table_;
  const ForwardedPacket& packet_;
  Registers registers_;
  std::optional<Verdict> verdict_;
  std::string dropped_chain_;
  std::string dropped_by_;
};

}  // namespace

std::optional<Dropped> find_drop(const TableContents& table, const ForwardedPacket& packet) {
  std::vector<const Chain*> bases;
  for (const auto& [name, chain] : table.chains)
    if (chain.hook && chain.hook->point == HookPoint::kForward && chain.hook->type == "filter")
      bases.push_back(&chain);
  std::stable_sort(bases.begin(), bases.end(), [](const Chain* left, const Chain* right) {
    return left->hook->priority < right->hook->priority;
  });
  for (const Chain* base : bases)
    if (auto dropped = Walk(table, packet).through(*base)) return dropped;
  return std::nullopt;
}

}  // namespace weft::overlay
