#include "kernel/nft_codec.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <gtest/gtest.h>

#include "net/nft_rules.h"

namespace weft::kernel::nft_codec {
namespace {

using namespace nft;

const TableId kTable{.family = TableFamily::kInet, .name = "t"};

Message message_of(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(take_message(bytes, message));
  return message;
}

Rule every_expression() {
  return {.expressions = {MetaLoad{.key = MetaKey::kOifName},
                          MetaSet{.key = MetaKey::kMark, .from = word_register(1)},
                          CtLoad{.key = CtKey::kDestinationIp, .direction = 1},
                          CtSet{.key = CtKey::kMark},
                          PayloadLoad{.base = PayloadBase::kTransport, .offset = 2, .length = 2},
                          Bitwise{.mask = host_order(6), .flip = host_order(1)},
                          Compare{.op = CompareOp::kGreater, .data = Bytes("\0\1", 2)},
                          Range{.inverted = true, .low = "a", .high = "b"},
                          Byteorder{.length = 4, .size = 2},
                          Immediate{.to = Register::k2, .data = Bytes("xyz")},
                          Immediate{.data = Verdict{.code = Verdict::Code::kJump, .chain = "c"}},
                          Masquerade{.flags = nat_flags::kFullyRandom, .port_min = Register::k1},
                          Redirect{.port_min = Register::k1, .port_max = Register::k2},
                          Nat{.family = TableFamily::kIp6,
                              .address_min = Register::k1,
                              .port_min = word_register(4),
                              .flags = nat_flags::kRandom},
                          Counter{},
                          Lookup{.set = "s", .to = Register::kVerdict},
                          Lookup{.set = "s", .inverted = true},
                          Dynset{.op = Dynset::Op::kUpdate,
                                 .set = "s",
                                 .key = word_register(2),
                                 .data = word_register(3),
                                 .timeout_ms = 5000},
                          Dynset{.op = Dynset::Op::kDelete, .set = "s"},
                          Fib{},
                          Numgen{.modulus = 5, .offset = 1},
                          Reject{.type = Reject::Type::kIcmpx, .code = 1},
                          Limit{.rate = 5, .unit = 60, .burst = 7, .bytes = true, .inverted = true},
                          Notrack{},
                          Opaque{.name = "log", .data = Bytes("\x08\0\1\0abcd", 8)}},
          .comment = "all of them",
          .handle = 9};
}

TEST(NftCodec, EveryExpressionRoundTrips) {
  const Rule rule = every_expression();
  const Request request = encode_replace_rule(kTable, "chain", rule, rule.handle);
  const auto decoded = decode_rule(message_of(request.message()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->table, kTable);
  EXPECT_EQ(decoded->value.chain, "chain");
  ASSERT_EQ(decoded->value.rule.expressions.size(), rule.expressions.size());
  for (std::size_t i = 0; i < rule.expressions.size(); ++i)
    EXPECT_EQ(decoded->value.rule.expressions[i], rule.expressions[i]) << i;
  EXPECT_EQ(decoded->value.rule, rule);
  EXPECT_EQ(decoded->value.rule.handle, rule.handle);
}

TEST(NftCodec, TablesChainsAndSetsRoundTrip) {
  const Table table{.id = kTable, .comment = "ours"};
  EXPECT_EQ(decode_table(message_of(encode_put_table(table).message())), table);
  for (const auto family : {TableFamily::kInet, TableFamily::kNetdev, TableFamily::kArp}) {
    const TableId id{.family = family, .name = "t"};
    const Chain chain{.name = "c",
                      .hook = Hook{.point = family == TableFamily::kNetdev ? HookPoint::kIngress
                                                                           : HookPoint::kInput,
                                   .priority = -150,
                                   .policy = Policy::kDrop,
                                   .device = family == TableFamily::kNetdev ? "lo" : ""},
                      .comment = "c's"};
    const auto decoded = decode_chain(message_of(encode_put_chain(id, chain).message()));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->value, chain);
    EXPECT_EQ(decoded->table, id);
  }
  const Set set{.name = "s",
                .flags = set_flags::kMap | set_flags::kInterval | set_flags::kConcatenation,
                .key_type = 7,
                .key_length = 8,
                .data_type = data_type::kMark,
                .data_length = 4,
                .size = 100,
                .field_lengths = {4, 2},
                .timeout_ms = 5000,
                .host_order_data = true,
                .comment = "s's",
                .userdata = Bytes("\x03\x02hi", 4)};
  const auto decoded = decode_set(message_of(encode_put_set(kTable, set, 1).message()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->value, set);
}

TEST(NftCodec, ManyElementsGoOverSeveralMessagesAndComeBackInOrder) {
  std::vector<Element> elements;
  for (std::uint32_t i = 0; i < 5000; ++i)
    elements.push_back({.key = host_order(i),
                        .data = Verdict{.code = Verdict::Code::kGoto, .chain = "chain"},
                        .comment = i % 2 == 0 ? "even" : ""});
  elements.push_back({.data = Verdict{}, .catch_all = true});
  elements.push_back({.key = "a", .key_end = "b", .data = Bytes("c"), .interval_end = true});
  const auto requests = encode_put_elements(kTable, "s", elements);
  EXPECT_GT(requests.size(), 1U);
  std::vector<Element> back;
  for (const Request& request : requests) {
    EXPECT_LT(request.message().size(), 64U << 10U);
    const auto part = decode_elements(message_of(request.message()));
    ASSERT_TRUE(part);
    back.insert(back.end(), part->begin(), part->end());
  }
  EXPECT_EQ(back, elements);
}

TEST(NftCodec, AnExpressionThatIsNotUnderstoodStaysAsItIs) {
  // A shift is a bitwise expression that the value does not hold.
  Request data(0, 0);
  data.be32(NFTA_BITWISE_SREG, 1).be32(NFTA_BITWISE_OP, NFT_BITWISE_LSHIFT);
  const Bytes bytes(data.message().substr(NLMSG_HDRLEN));
  const Rule rule{.expressions = {Opaque{.name = "bitwise", .data = bytes}}};
  const auto decoded = decode_rule(message_of(encode_replace_rule(kTable, "c", rule, 1).message()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->value.rule, rule);
}

TEST(NftCodec, TruncatedMessagesAreReadWithinTheirBounds) {
  const Request request = encode_replace_rule(kTable, "chain", every_expression(), 1);
  const Message whole = message_of(request.message());
  for (std::size_t length = 0; length < whole.payload.size(); ++length) {
    const std::string payload(whole.payload.substr(0, length));
    const Message cut{.header = whole.header, .payload = payload};
    const auto decoded = decode_rule(cut);
    if (length < sizeof(nfgenmsg)) {
      EXPECT_FALSE(decoded);
    }
  }
}

TEST(NftCodec, MessagesOfOtherSubsystemsAreNothing) {
  const Request request = encode_put_table({.id = kTable});
  Message message = message_of(request.message());
  message.header.nlmsg_type = NFT_MSG_NEWTABLE;
  EXPECT_FALSE(decode_table(message));
}

}  // namespace
}  // namespace weft::kernel::nft_codec
