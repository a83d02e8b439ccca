// nft.h: nftables objects as values: tables, chains, rules, sets and what rules are made of.
//
// Names follow linux/netfilter/nf_tables.h, and numbers are the kernel's own, so that a value
// read back from the kernel equals the one that was written. Bytes are held as they lie in a
// register: addresses and ports in network order, marks and device numbers in host order.
//
// Rules are put together with net/nft_rules.h, compared with net/nft_plan.h and brought to
// the kernel by kernel/nftables.h.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/address.h"

namespace weft::nft {

/// NFPROTO_*: what packets a table sees.
enum class TableFamily : std::uint8_t {
  kInet = 1,  ///< IPv4 and IPv6
  kIp = 2,
  kArp = 3,
  kNetdev = 5,
  kBridge = 7,
  kIp6 = 10,
};
/// "inet", "ip", ...
std::string_view to_string(TableFamily family);
/// ip or ip6.
constexpr TableFamily table_family(Family family) {
  return family == Family::kIpv4 ? TableFamily::kIp : TableFamily::kIp6;
}

struct TableId {
  TableFamily family = TableFamily::kIp;
  std::string name = {};
  auto operator<=>(const TableId&) const = default;
  /// "ip flannel-ipv4"
  std::string to_string() const;
};

/// Comments of tables, chains and sets are written when the object is made and cannot be
/// changed later; they take no part in a plan.
struct Table {
  TableId id = {};
  std::string comment = {};
  bool operator==(const Table&) const = default;
};

enum class HookPoint : std::uint8_t {
  kPrerouting,
  kInput,
  kForward,
  kOutput,
  kPostrouting,
  kIngress,
  kEgress,
};
enum class Policy : std::uint32_t { kDrop = 0, kAccept = 1 };

/// What makes a chain a base chain.
struct Hook {
  std::string type = "filter";  ///< "filter", "nat" or "route"
  HookPoint point = HookPoint::kPrerouting;
  std::int32_t priority = 0;  ///< lower comes first; see Priority
  Policy policy = Policy::kAccept;
  std::string device = {};  ///< of ingress and egress hooks; empty otherwise
  auto operator<=>(const Hook&) const = default;
};

/// The names that nft(8) has for priorities of ip, ip6 and inet tables.
namespace priority {
inline constexpr std::int32_t kRaw = -300;
inline constexpr std::int32_t kMangle = -150;
inline constexpr std::int32_t kDstNat = -100;
inline constexpr std::int32_t kFilter = 0;
inline constexpr std::int32_t kSecurity = 50;
inline constexpr std::int32_t kSrcNat = 100;
}  // namespace priority

struct Chain {
  std::string name = {};
  std::optional<Hook> hook = {};
  std::string comment = {};
  bool operator==(const Chain&) const = default;
};

/// What a packet meets when a rule or a map element says so.
struct Verdict {
  enum class Code : std::int32_t {
    kDrop = 0,
    kAccept = 1,
    kQueue = 3,
    kContinue = -1,
    kBreak = -2,
    kJump = -3,
    kGoto = -4,
    kReturn = -5,
  };
  Code code = Code::kAccept;
  std::string chain = {};  ///< of jump and goto
  auto operator<=>(const Verdict&) const = default;
};

using Bytes = std::string;
using Data = std::variant<Bytes, Verdict>;

/// Registers as the kernel reports them: 1 to 4 are 16 bytes wide; the 4-byte registers between
/// their starts are counted from 8, so that 9 is the second word of register 1.
enum class Register : std::uint32_t { kVerdict = 0, k1 = 1, k2 = 2, k3 = 3, k4 = 4 };
/// The register `word` 4-byte words behind the start of register 1.
constexpr Register word_register(std::uint32_t word) {
  return Register{word % 4 == 0 ? 1 + word / 4 : 8 + word};
}

enum class MetaKey : std::uint32_t {
  kProtocol = 1,
  kMark = 3,
  kIif = 4,
  kOif = 5,
  kIifName = 6,
  kOifName = 7,
  kIifType = 8,
  kSkUid = 10,
  kNfProto = 15,
  kL4Proto = 16,
  kPktType = 19,
};
struct MetaLoad {
  MetaKey key = MetaKey::kMark;
  Register to = Register::k1;
  bool operator==(const MetaLoad&) const = default;
};
struct MetaSet {
  MetaKey key = MetaKey::kMark;
  Register from = Register::k1;
  bool operator==(const MetaSet&) const = default;
};

enum class CtKey : std::uint32_t {
  kState = 0,
  kDirection = 1,
  kStatus = 2,
  kMark = 3,
  kProtocol = 10,
  kProtoSource = 11,
  kProtoDestination = 12,
  kZone = 17,
  kSourceIp = 19,
  kDestinationIp = 20,
  kSourceIp6 = 21,
  kDestinationIp6 = 22,
};
struct CtLoad {
  CtKey key = CtKey::kState;
  std::optional<std::uint8_t> direction = {};  ///< 0 original, 1 reply
  Register to = Register::k1;
  bool operator==(const CtLoad&) const = default;
};
struct CtSet {
  CtKey key = CtKey::kMark;
  std::optional<std::uint8_t> direction = {};
  Register from = Register::k1;
  bool operator==(const CtSet&) const = default;
};

enum class PayloadBase : std::uint32_t { kLink = 0, kNetwork = 1, kTransport = 2, kInner = 3 };
struct PayloadLoad {
  PayloadBase base = PayloadBase::kNetwork;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  Register to = Register::k1;
  bool operator==(const PayloadLoad&) const = default;
};

/// to = (from & mask) ^ flip
struct Bitwise {
  Register from = Register::k1;
  Register to = Register::k1;
  Bytes mask = {};
  Bytes flip = {};  ///< as long as the mask
  bool operator==(const Bitwise&) const = default;
};

enum class CompareOp : std::uint32_t {
  kEqual = 0,
  kNotEqual = 1,
  kLess = 2,
  kLessOrEqual = 3,
  kGreater = 4,
  kGreaterOrEqual = 5,
};
struct Compare {
  Register from = Register::k1;
  CompareOp op = CompareOp::kEqual;
  Bytes data = {};
  bool operator==(const Compare&) const = default;
};

struct Range {
  Register from = Register::k1;
  bool inverted = false;
  Bytes low = {};
  Bytes high = {};
  bool operator==(const Range&) const = default;
};

struct Byteorder {
  enum class Op : std::uint32_t { kToHost = 0, kToNetwork = 1 };
  Register from = Register::k1;
  Register to = Register::k1;
  Op op = Op::kToNetwork;
  std::uint32_t length = 0;
  std::uint32_t size = 0;
  bool operator==(const Byteorder&) const = default;
};

/// A value into a register, or a verdict into Register::kVerdict.
struct Immediate {
  Register to = Register::kVerdict;
  Data data = {};
  bool operator==(const Immediate&) const = default;
};

/// NF_NAT_RANGE_*: how a new source port is chosen. The bits that say whether addresses and
/// ports are given follow from the registers and are not kept here.
namespace nat_flags {
inline constexpr std::uint32_t kRandom = 0x4;
inline constexpr std::uint32_t kPersistent = 0x8;
inline constexpr std::uint32_t kFullyRandom = 0x10;
}  // namespace nat_flags

struct Masquerade {
  std::uint32_t flags = 0;
  std::optional<Register> port_min = {};
  std::optional<Register> port_max = {};  ///< only when it is not port_min
  bool operator==(const Masquerade&) const = default;
};
struct Redirect {
  std::uint32_t flags = 0;
  std::optional<Register> port_min = {};
  std::optional<Register> port_max = {};
  bool operator==(const Redirect&) const = default;
};
struct Nat {
  enum class Type : std::uint32_t { kSource = 0, kDestination = 1 };
  Type type = Type::kDestination;
  TableFamily family = TableFamily::kIp;  ///< kIp or kIp6
  std::optional<Register> address_min = {};
  std::optional<Register> address_max = {};  ///< only when it is not address_min
  std::optional<Register> port_min = {};
  std::optional<Register> port_max = {};
  std::uint32_t flags = 0;
  bool operator==(const Nat&) const = default;
};

/// Counts are what happened and not what was asked for: all counters are equal.
struct Counter {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Counter&) const { return true; }
};

struct Lookup {
  std::string set = {};
  Register from = Register::k1;
  std::optional<Register> to = {};  ///< of maps
  bool inverted = false;
  bool operator==(const Lookup&) const = default;
};

/// An element that the packet path puts into a dynamic set, or takes away. Where that fails (the
/// set is full), the rule ends there and the next one is tried.
struct Dynset {
  /// An update renews the time of an element that is there, and leaves its data as they are.
  enum class Op : std::uint32_t { kAdd = 0, kUpdate = 1, kDelete = 2 };
  Op op = Op::kAdd;
  std::string set = {};
  Register key = Register::k1;
  std::optional<Register> data = {};  ///< of maps; a kDelete has one, too, and does not read it
  std::uint64_t timeout_ms = 0;       ///< 0: the set's own
  bool operator==(const Dynset&) const = default;
};

/// A question to the routing table.
struct Fib {
  enum class Answer : std::uint32_t { kOif = 1, kOifName = 2, kAddressType = 3 };
  /// NFTA_FIB_F_*
  static constexpr std::uint32_t kSource = 1;
  static constexpr std::uint32_t kDestination = 2;
  static constexpr std::uint32_t kMark = 4;
  static constexpr std::uint32_t kIif = 8;
  Answer answer = Answer::kAddressType;
  std::uint32_t flags = kDestination;
  Register to = Register::k1;
  bool operator==(const Fib&) const = default;
};

struct Numgen {
  enum class Type : std::uint32_t { kIncremental = 0, kRandom = 1 };
  Type type = Type::kRandom;
  std::uint32_t modulus = 1;
  std::uint32_t offset = 0;
  Register to = Register::k1;
  bool operator==(const Numgen&) const = default;
};

struct Reject {
  enum class Type : std::uint32_t { kIcmp = 0, kTcpReset = 1, kIcmpx = 2 };
  Type type = Type::kIcmp;
  std::uint8_t code = 0;
  bool operator==(const Reject&) const = default;
};

struct Limit {
  std::uint64_t rate = 0;  ///< packets or bytes in each unit of time
  std::uint64_t unit = 1;  ///< seconds
  std::uint32_t burst = 5;
  bool bytes = false;
  bool inverted = false;  ///< matches above the rate
  bool operator==(const Limit&) const = default;
};

struct Notrack {
  bool operator==(const Notrack&) const = default;
};

/// An expression that weft does not write, as its attributes' bytes: iptables-nft's matches
/// and targets, logs, quotas.
struct Opaque {
  std::string name = {};
  Bytes data = {};
  bool operator==(const Opaque&) const = default;
};

using Expression = std::variant<MetaLoad, MetaSet, CtLoad, CtSet, PayloadLoad, Bitwise, Compare,
                                Range, Byteorder, Immediate, Masquerade, Redirect, Nat, Counter,
                                Lookup, Dynset, Fib, Numgen, Reject, Limit, Notrack, Opaque>;

struct Rule {
  std::vector<Expression> expressions = {};
  std::string comment = {};  ///< at most 127 bytes, as nft(8) allows
  /// Whose rule it is, where neither the comment nor the expressions have room for it: nft(8) and
  /// iptables pass it over, and lose it when they save and restore a ruleset.
  std::string owner = {};
  /// Of rules with iptables' extensions: the protocol that these are told (0: any). Not read back.
  std::optional<std::uint8_t> checked_protocol = {};
  std::uint64_t handle = 0;  ///< the kernel's number of a rule that was read; 0 in a wish
  /// Rules are equal when they say the same: owner and handle are no part of that.
  bool operator==(const Rule& other) const {
    return expressions == other.expressions && comment == other.comment;
  }
};

/// NFT_SET_*
namespace set_flags {
inline constexpr std::uint32_t kAnonymous = 0x1;
inline constexpr std::uint32_t kConstant = 0x2;
inline constexpr std::uint32_t kInterval = 0x4;
inline constexpr std::uint32_t kMap = 0x8;
inline constexpr std::uint32_t kTimeout = 0x10;
inline constexpr std::uint32_t kDynamic = 0x20;  ///< the packet path adds elements (NFT_SET_EVAL)
inline constexpr std::uint32_t kObject = 0x40;
inline constexpr std::uint32_t kConcatenation = 0x80;  ///< intervals of several fields
}  // namespace set_flags

/// Types as nft(8) numbers them, only so that it prints keys well; the kernel passes them on.
namespace data_type {
inline constexpr std::uint32_t kInteger = 4;
inline constexpr std::uint32_t kIpv4Address = 7;
inline constexpr std::uint32_t kIpv6Address = 8;
inline constexpr std::uint32_t kEtherAddress = 9;
inline constexpr std::uint32_t kInetProtocol = 12;
inline constexpr std::uint32_t kInetService = 13;
inline constexpr std::uint32_t kMark = 19;
inline constexpr std::uint32_t kIfName = 41;
inline constexpr std::uint32_t kVerdict = 0xffffff00;
/// The type of a key of several fields, each padded to 4 bytes.
template <class... Types>
constexpr std::uint32_t concatenation(Types... types) {
  constexpr unsigned kBitsOfOne = 6;
  std::uint32_t all = 0;
  ((all = all << kBitsOfOne | types), ...);
  return all;
}
}  // namespace data_type

struct Element {
  Bytes key = {};
  Bytes key_end = {};  ///< of intervals in sets with kConcatenation
  std::optional<Data> data = {};
  bool interval_end = false;  ///< this key is the first behind an interval
  bool catch_all = false;     ///< stands for every key that is not there; has no key
  std::string comment = {};
  auto operator<=>(const Element&) const = default;
};

struct Set {
  std::string name = {};
  std::uint32_t flags = 0;
  std::uint32_t key_type = 0;
  std::uint32_t key_length = 0;
  std::uint32_t data_type = 0;                    ///< of maps
  std::uint32_t data_length = 0;                  ///< 0 when the data are verdicts
  std::uint32_t size = 0;                         ///< at most so many elements; 0: no limit
  std::vector<std::uint32_t> field_lengths = {};  ///< of sets with kConcatenation
  std::optional<std::uint64_t> timeout_ms = {};   ///< of sets with kTimeout
  bool host_order_key = false;                    ///< so that nft(8) prints marks and the like well
  bool host_order_data = false;
  std::string comment = {};
  Bytes userdata = {};  ///< further NFTNL_UDATA_SET_* records (typeof), as nft(8) writes them
  std::vector<Element> elements = {};  ///< sorted in what was read; in any order in a wish

  /// True when the two differ in nothing that the kernel would have to make a new set for.
  bool same_definition(const Set& other) const;
  /// True when elements come and go by themselves.
  bool is_dynamic() const { return (flags & (set_flags::kDynamic | set_flags::kTimeout)) != 0; }
  bool operator==(const Set&) const = default;
};

/// The whole of one table, as it should be or as it is.
struct TableContents {
  Table table = {};
  std::map<std::string, Chain> chains = {};
  std::map<std::string, std::vector<Rule>> rules = {};  ///< by chain, in order
  std::map<std::string, Set> sets = {};
  bool operator==(const TableContents&) const = default;

  /// Adds a chain, with rules in order.
  void add(Chain chain, std::vector<Rule> chain_rules = {});
  void add(Set set);
};

}  // namespace weft::nft
