#include "kernel/rtnetlink_codec.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "kernel/monitor.h"

namespace weft::kernel {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

// What the kernel would send about an object is laid out as the request that makes it.
Message message_of(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(take_message(bytes, message));
  return message;
}

const Route kRoute{.key = {.destination = Prefix::parse("10.244.2.0/24").value(), .metric = 7},
                   .hops = {{.gateway = ip("10.244.2.0"), .link = LinkIndex{3}, .onlink = true}}};
const Neighbour kNeighbour{.key = {.link = LinkIndex{3}, .address = ip("fd00::1")},
                           .mac = MacAddress::parse("02:00:00:00:00:02").value()};

TEST(RtnetlinkCodec, RoutesAndNeighboursRoundTrip) {
  const Request route = encode_route(kRoute, RouteWrite::kReplace);
  EXPECT_EQ(decode_route(message_of(route.message())), kRoute);
  const Request neighbour = encode_neighbour(kNeighbour);
  EXPECT_EQ(decode_neighbour(message_of(neighbour.message())), kNeighbour);
}

TEST(RtnetlinkCodec, KindsOfLinksRoundTrip) {
  const auto read_back = [](const NewLink& link) {
    const Request request = encode_new_link(link);
    return decode_link(message_of(request.message())).value();
  };
  const MacvlanOptions macvlan{.mode = MacvlanMode::kVepa, .broadcast_queue = 77};
  const Link first = read_back({.name = "eth0",
                                .kind = "macvlan",
                                .parent = LinkIndex{3},
                                .netns_fd = 5,
                                .macvlan = macvlan});
  EXPECT_EQ(first.kind, "macvlan");
  EXPECT_EQ(first.macvlan, macvlan);
  EXPECT_EQ(first.peer, LinkIndex{3});
  const IpvlanOptions ipvlan{.mode = IpvlanMode::kL3s};
  EXPECT_EQ(read_back({.name = "eth0", .kind = "ipvlan", .ipvlan = ipvlan}).ipvlan, ipvlan);
  const VlanOptions vlan{.id = 4094};
  EXPECT_EQ(read_back({.name = "eth0", .kind = "vlan", .vlan = vlan}).vlan, vlan);
  EXPECT_EQ(read_back({.name = "eth0", .kind = "dummy"}).kind, "dummy");
}

TEST(RtnetlinkCodec, AnAddressWithoutRouteRoundTrips) {
  for (const bool prefix_route : {true, false}) {
    const LinkAddress address{
        .key = {.link = LinkIndex{3}, .address = InterfaceAddress::parse("10.1.2.5/24").value()},
        .permanent = false,
        .prefix_route = prefix_route};
    const Request request = encode_new_address(address, true);
    EXPECT_EQ(decode_address(message_of(request.message())), address);
  }
}

// Cut anywhere, a message is read as less or as nothing, but never past its end.
TEST(RtnetlinkCodec, TruncatedMessagesAreReadWithinTheirBounds) {
  const Request requests[] = {encode_route(kRoute, RouteWrite::kReplace),
                              encode_neighbour(kNeighbour)};
  for (const Request& request : requests) {
    const Message whole = message_of(request.message());
    for (std::size_t length = 0; length < whole.payload.size(); ++length) {
      // A copy of the very length, so that a sanitizer sees a read behind it.
      const std::string payload(whole.payload.substr(0, length));
      const Message cut{.header = whole.header, .payload = payload};
      if (length < sizeof(ndmsg)) {
        EXPECT_FALSE(decode_route(cut));
        EXPECT_FALSE(decode_neighbour(cut));
      }
      EXPECT_FALSE(decode_link(cut));
      static_cast<void>(decode_route(cut));
      static_cast<void>(decode_neighbour(cut));
      static_cast<void>(decode_event(cut, false));
    }
  }
}

TEST(RtnetlinkCodec, AnAddressOfTheWrongSizeIsNoNeighbour) {
  for (const std::size_t size : {0U, 1U, 3U, 5U, 15U, 17U}) {
    Request request(RTM_NEWNEIGH, 0);
    ndmsg header{};
    header.ndm_family = AF_INET;
    header.ndm_ifindex = 3;
    header.ndm_state = NUD_PERMANENT;
    request.header(header).bytes(NDA_DST, std::string(size, 'x'));
    EXPECT_FALSE(decode_neighbour(message_of(request.message()))) << size;
  }
}

TEST(RtnetlinkCodec, AMessageOfAnotherKindIsNothing) {
  Request request(RTM_NEWRULE, 0);
  request.header(fib_rule_hdr{});
  const Message message = message_of(request.message());
  EXPECT_FALSE(decode_link(message));
  EXPECT_FALSE(decode_route(message));
  EXPECT_FALSE(decode_neighbour(message));
  ASSERT_TRUE(decode_event(message, false));
  EXPECT_EQ(decode_event(message, false)->topic, Topic::kRule);
}

}  // namespace
}  // namespace weft::kernel
