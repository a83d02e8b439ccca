// The tunnel by itself, and its counters: every packet that is not carried is counted, by its
// reason.
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "kernel/tun.h"
#include "netns/fresh_netns.h"
#include "overlay/udp/tunnel.h"
#include "support/packets.h"
#include "support/traffic.h"

namespace weft::overlay::udp {
namespace {

using test::eventually;
using test::ip;
using test::must;
using test::prefix;

// A tunnel in a namespace whose peers are addresses of its own loopback.
struct Node {
  explicit Node(kernel::Rtnetlink& links) {
    const auto loopback = must(links.link("lo")).value().index;
    for (const std::string address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
      must(links.add({.key = {.link = loopback, .address = {ip(address), 32}}}));
    tunnel = must(Tunnel::open({.local = ip("192.0.2.1"), .device_address = ip("10.244.1.0")}));
    const auto device = must(links.link("flannel0")).value().index;
    must(links.add({.key = {.link = device, .address = {ip("10.244.1.0"), 32}}}));
    must(links.change(device, {.up = true}));
    must(links.put({.key = {.destination = prefix("10.244.0.0/16")}, .hops = {{.link = device}}}));
    tunnel->set_peers(PeerTable(
        std::vector<Peer>{{.subnet = prefix("10.244.2.0/24"), .public_address = ip("192.0.2.2")}},
        8285));
  }

  bool counts(Drop reason, std::uint64_t count) const {
    return eventually([&] { return tunnel->counters().dropped(reason) == count; });
  }
  // A datagram to the tunnel's port.
  static void send(const char* from, const test::PacketBytes& bytes) {
    const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_in here = test::at(ip(from), 0);
    const sockaddr_in there = test::at(ip("192.0.2.1"), 8285);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    ASSERT_EQ(::sendto(fd.get(), bytes.data(), bytes.size(), 0,
                       reinterpret_cast<const sockaddr*>(&there), sizeof there),
              static_cast<ssize_t>(bytes.size()));
  }
  // A packet of this node into the tunnel.
  static void send_into(const char* to, int ttl = 64) {
    const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::setsockopt(fd.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    const sockaddr_in there = test::at(ip(to), 9);
    ASSERT_EQ(
        ::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there), 1);
  }

  std::unique_ptr<Tunnel> tunnel;
};

test::PacketBytes packet_from(const char* source) {
  return test::udp({.source = ip(source).v4_number(), .destination = ip("10.244.1.0").v4_number()},
                   {1, 2, 3});
}

TEST(UdpTunnel, CountsWhatItDoesNotTakeIn) {
  test::in_fresh_netns([](kernel::Rtnetlink& links) {
    Node node(links);
    Node::send("192.0.2.3", packet_from("10.244.2.9"));
    EXPECT_TRUE(node.counts(Drop::kUnknownSender, 1));
    Node::send("192.0.2.2", packet_from("10.244.3.9"));
    EXPECT_TRUE(node.counts(Drop::kSpoofed, 1));
    auto cut = packet_from("10.244.2.9");
    cut.pop_back();
    for (const auto& bytes : {test::PacketBytes{}, test::PacketBytes{0x45}, cut,
                              test::PacketBytes(1472, 0x66), test::PacketBytes(65507, 0)})
      Node::send("192.0.2.2", bytes);
    EXPECT_TRUE(node.counts(Drop::kMalformed, 5));
    const auto good = packet_from("10.244.2.9");
    Node::send("192.0.2.2", good);
    EXPECT_TRUE(eventually([&] { return node.tunnel->counters().received_packets == 1; }));
    EXPECT_EQ(node.tunnel->counters().received_bytes, good.size());
    must(links.change(must(links.link("flannel0")).value().index, {.up = false}));
    Node::send("192.0.2.2", good);
    EXPECT_TRUE(node.counts(Drop::kDeviceFailed, 1));
  });
}

TEST(UdpTunnel, CountsWhatItDoesNotSendOut) {
  test::in_fresh_netns([](kernel::Rtnetlink& links) {
    Node node(links);
    Node::send_into("10.244.9.1");
    EXPECT_TRUE(node.counts(Drop::kNoRoute, 1));
    Node::send_into("10.244.2.1", 1);
    EXPECT_TRUE(node.counts(Drop::kTtlExceeded, 1));
    Node::send_into("10.244.2.1");
    EXPECT_TRUE(eventually([&] { return node.tunnel->counters().sent_packets == 1; }));
    EXPECT_EQ(node.tunnel->counters().sent_bytes, 29U);
    must(
        links.put({.key = {.destination = prefix("192.0.2.9/32")}, .type = RouteType::kBlackhole}));
    node.tunnel->set_peers(PeerTable(
        std::vector<Peer>{{.subnet = prefix("10.244.2.0/24"), .public_address = ip("192.0.2.9")}},
        8285));
    Node::send_into("10.244.2.1");
    EXPECT_TRUE(node.counts(Drop::kSendFailed, 1));
  });
}

// The datagram on the wire is the bare packet, one hop older, and nothing else.
TEST(UdpTunnel, SendsOneBarePacketADatagram) {
  test::in_fresh_netns([](kernel::Rtnetlink& links) {
    const Node node(links);
    const Fd peer(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_in here = test::at(ip("192.0.2.2"), 8285);
    ASSERT_EQ(::bind(peer.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    Node::send_into("10.244.2.1", 64);
    test::PacketBytes bytes(2000);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t taken = ::recvfrom(peer.get(), bytes.data(), bytes.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &size);
    ASSERT_EQ(taken, 29);
    EXPECT_EQ(ntohs(from.sin_port), 8285);
    EXPECT_EQ(ntohl(from.sin_addr.s_addr), ip("192.0.2.1").v4_number());
    bytes.resize(29);
    const auto packet = Ipv4Packet::parse(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->ttl(), 63);
    EXPECT_EQ(packet->source(), ip("10.244.1.0").v4_number());
    EXPECT_TRUE(transport_checksum_holds(*packet));
  });
}

TEST(UdpTunnel, NeedsAnAddressThatTheNodeHas) {
  test::in_fresh_netns([](kernel::Rtnetlink&) {
    const auto tunnel =
        Tunnel::open({.local = ip("198.51.100.1"), .device_address = ip("10.244.1.0")});
    ASSERT_FALSE(tunnel);
    EXPECT_EQ(tunnel.error().number, EADDRNOTAVAIL);
    EXPECT_NE(tunnel.error().text().find("198.51.100.1:8285"), std::string::npos);
  });
}

TEST(Tun, RefusesADeviceOfAnotherKind) {
  test::in_fresh_netns([](kernel::Rtnetlink& links) {
    must(links.create({.name = "flannel0", .kind = "bridge"}));
    const auto tun = kernel::Tun::attach("flannel0");
    ASSERT_FALSE(tun);
    EXPECT_EQ(tun.error().number, EINVAL);
    EXPECT_FALSE(kernel::Tun::attach("no/name"));
    EXPECT_FALSE(kernel::Tun::attach(""));
  });
}

TEST(Tun, GoesAwayWithItsLastQueueUnlessItIsToStay) {
  test::in_fresh_netns([](kernel::Rtnetlink& links) {
    { const auto tun = must(kernel::Tun::attach("tun7")); }
    EXPECT_FALSE(must(links.link("tun7")));
    { must(must(kernel::Tun::attach("tun7")).persist()); }
    ASSERT_TRUE(must(links.link("tun7")));
    auto again = must(kernel::Tun::attach("tun7"));
    must(links.remove(must(links.link("tun7")).value().index));
    std::array<std::uint8_t, 100> buffer{};
    EXPECT_EQ(again.read(buffer), -EBADFD);
  });
}

}  // namespace
}  // namespace weft::overlay::udp
