// The udp backend between nodes: whole agents, pods behind them, and what their packets meet.
#include <netinet/udp.h>
#include <time.h>

// After time.h: it uses timespec without including it.
#include <linux/errqueue.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cluster/subnet_env.h"
#include "store/directory_store.h"
#include "support/daemon.h"
#include "support/packets.h"
#include "support/traffic.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::ip;
using test::must;
using test::Node;
using test::Pod;

constexpr std::size_t kMegabyte = 1 << 20;

class UdpTest : public testing::Test {
 protected:
  UdpTest() {
    must(write_file_atomically(store_dir() + "/config",
                               R"({"Network":"10.244.0.0/16","EnableNFTables":true,)"
                               R"("Backend":{"Type":"udp"}})",
                               0644));
  }
  std::string store_dir() const { return dir_.path() + "/store"; }

  static Prefix subnet(Node& node) {
    return must(SubnetEnv::parse(must(read_file(node.subnet_file())))).subnets.at(Family::kIpv4);
  }
  static bool ready(Node& node) {
    return eventually([&] { return node.status().find("\"ready\"") != std::string::npos; });
  }
  // A node with its agent at work.
  std::unique_ptr<Node> add_node(int number) {
    auto node = segment_.add_node({"192.0.2." + std::to_string(number) + "/24"});
    node->start_agent(*store_);
    EXPECT_TRUE(ready(*node)) << node->status();
    return node;
  }
  static std::unique_ptr<Pod> add_pod(Node& node, std::uint32_t mtu = 1472) {
    return test::add_pod(node, subnet(node), mtu);
  }
  // The agents of both know of each other.
  static bool connected(const Pod& one, const Pod& other) {
    using std::chrono::milliseconds;
    return eventually([&] { return test::datagram_arrives(one, other, 1, milliseconds(100)); }) &&
           eventually([&] { return test::datagram_arrives(other, one, 1, milliseconds(100)); });
  }

  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(store_dir()));
  test::Segment segment_;
};

// Two nodes and a pod on each.
class TwoPods : public UdpTest {
 protected:
  void SetUp() override { ASSERT_TRUE(connected(*here_, *there_)); }

  std::unique_ptr<Node> first_ = add_node(1);
  std::unique_ptr<Node> second_ = add_node(2);
  std::unique_ptr<Pod> here_ = add_pod(*first_);
  std::unique_ptr<Pod> there_ = add_pod(*second_);
};

TEST_F(TwoPods, TheDeviceIsFlannels) {
  const Link device = first_->link("flannel0");
  EXPECT_EQ(device.kind, "tun");
  EXPECT_EQ(device.mtu, 1472U);
  EXPECT_TRUE(device.up);
  const auto state = first_->overlay_state();
  ASSERT_EQ(state.addresses.size(), 1U);
  EXPECT_EQ(state.addresses[0], (InterfaceAddress{subnet(*first_).address(), 32}));
  const auto route = must(first_->rtnetlink().route_to(there_->address));
  EXPECT_EQ(route.link(), device.index);
  const auto env = must(SubnetEnv::parse(must(read_file(first_->subnet_file()))));
  EXPECT_EQ(env.mtu, 1472U);
  // flannel publishes nothing of it but the address.
  for (const auto& [key, lease] : must(store_->list()).leases) {
    EXPECT_EQ(lease.attributes.backend_type, "");
    EXPECT_EQ(lease.attributes.backend_data, "");
  }
}

TEST_F(TwoPods, CarryStreamsBothWaysAtOnce) {
  const auto one = test::open_connection(*here_, *there_);
  const auto other = test::open_connection(*there_, *here_);
  std::size_t back = 0;
  {
    const std::jthread reverse(
        [&] { back = test::pump(other.client, other.server, 64 * kMegabyte); });
    EXPECT_EQ(test::pump(one.client, one.server, 64 * kMegabyte), 64 * kMegabyte);
  }
  EXPECT_EQ(back, 64 * kMegabyte);
}

// From 1445 bytes on the pod sends fragments.
TEST_F(TwoPods, CarryDatagramsOfEverySize) {
  for (const std::size_t size : {0, 1, 2, 63, 1000, 1443, 1444, 1445, 2000, 5000, 20000, 65507})
    EXPECT_TRUE(test::datagram_arrives(*here_, *there_, size)) << size;
}

// What QUIC servers do: many datagrams in one call.
TEST_F(TwoPods, CarryDatagramsThatTheKernelIsToCut) {
  const Fd receiver = test::open_socket(there_->netns, SOCK_DGRAM, there_->address, 7000);
  const Fd sender = test::open_socket(here_->netns, SOCK_DGRAM, here_->address, 0);
  const int size = 1200;
  ASSERT_EQ(::setsockopt(sender.get(), SOL_UDP, UDP_SEGMENT, &size, sizeof size), 0);
  const auto bytes = test::noise(40'000);
  const sockaddr_in to = test::at(there_->address, 7000);
  ASSERT_EQ(::sendto(sender.get(), bytes.data(), bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(bytes.size()));
  std::vector<std::uint8_t> received;
  while (received.size() < bytes.size()) {
    std::uint8_t buffer[2000];
    const ssize_t taken = ::recv(receiver.get(), buffer, sizeof buffer, 0);
    ASSERT_GT(taken, 0);
    EXPECT_LE(taken, size);
    received.insert(received.end(), buffer, buffer + taken);
  }
  EXPECT_EQ(received, bytes);
}

// A datagram to nobody, and the ICMP message that it gets: type, code and who says so.
struct Answer {
  int type = -1;
  int code = -1;
  IpAddress from;
};

Answer answer_to(const Pod& pod, const IpAddress& target, int ttl) {
  const Fd fd = test::open_socket(pod.netns, SOCK_DGRAM, pod.address, 0);
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
  ::setsockopt(fd.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
  const sockaddr_in there = test::at(target, 9);
  ::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
  Answer answer;
  eventually([&] {
    char bytes[64];
    alignas(cmsghdr) char control[512];
    iovec piece{.iov_base = bytes, .iov_len = sizeof bytes};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    if (::recvmsg(fd.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
    const cmsghdr* message = CMSG_FIRSTHDR(&header);
    if (message == nullptr || message->cmsg_type != IP_RECVERR) return false;
    sock_extended_err error;
    sockaddr_in offender;
    std::memcpy(&error, CMSG_DATA(message), sizeof error);
    std::memcpy(&offender, CMSG_DATA(message) + sizeof error, sizeof offender);
    answer = {error.ee_type, error.ee_code, IpAddress::v4(ntohl(offender.sin_addr.s_addr))};
    return true;
  });
  return answer;
}

TEST_F(TwoPods, AreToldWhatGoesNoFurther) {
  const IpAddress tunnel = subnet(*first_).address();
  const Answer nowhere = answer_to(*here_, ip("10.244.255.9"), 64);
  EXPECT_EQ(nowhere.type, 3);
  EXPECT_EQ(nowhere.code, 0);
  EXPECT_EQ(nowhere.from, tunnel);
  // The node takes one hop, the tunnel the second.
  const Answer too_far = answer_to(*here_, there_->address, 2);
  EXPECT_EQ(too_far.type, 11);
  EXPECT_EQ(too_far.code, 0);
  EXPECT_EQ(too_far.from, tunnel);
  // With more it gets to the other pod, which has nobody at that port.
  const Answer arrived = answer_to(*here_, there_->address, 4);
  EXPECT_EQ(arrived.type, 3);
  EXPECT_EQ(arrived.code, 3);
  EXPECT_EQ(arrived.from, there_->address);
}

TEST_F(TwoPods, FindAPathThatIsNarrowerThanTheUplink) {
  first_->sh("ip route add 192.0.2.2/32 dev eth0 mtu 1300");
  EXPECT_TRUE(test::streams(*here_, *there_, 8 * kMegabyte));
  EXPECT_TRUE(test::streams(*there_, *here_, 8 * kMegabyte));
  for (const std::size_t size : {1000, 1272, 1400, 9000})
    EXPECT_TRUE(test::datagram_arrives(*here_, *there_, size)) << size;
}

struct Sabotage {
  const char* name;
  const char* command;
};

class UdpDrift : public TwoPods, public testing::WithParamInterface<Sabotage> {};

TEST_P(UdpDrift, IsRepairedWithoutARestart) {
  // The number of a new device differs.
  const auto look = [&] {
    auto state = first_->overlay_state();
    for (auto& device : state.vteps) device.index = LinkIndex::kNone;
    const auto route = first_->rtnetlink().route_to(there_->address);
    const auto device = must(first_->rtnetlink().link("flannel0"));
    return std::tuple(state, route && device && route->link() == device->index);
  };
  const auto before = look();
  const auto one = test::open_connection(*here_, *there_);
  first_->sh(GetParam().command);
  EXPECT_TRUE(eventually([&] { return look() == before; }));
  EXPECT_TRUE(connected(*here_, *there_));
  EXPECT_EQ(test::pump(one.client, one.server, kMegabyte), kMegabyte);
}

// What `ip` flushes it flushes until nothing is left, which a repair may never let it see.
INSTANTIATE_TEST_SUITE_P(
    All, UdpDrift,
    testing::Values(Sabotage{"DeviceDeleted", "ip link del flannel0"},
                    Sabotage{"DeviceDown", "ip link set flannel0 down"},
                    Sabotage{"Mtu", "ip link set flannel0 mtu 1300"},
                    Sabotage{"AddressRemoved", "ip addr flush dev flannel0 primary"},
                    Sabotage{"AddressAdded", "ip addr add 10.244.3.3/32 dev flannel0"},
                    Sabotage{"RouteRemoved", "ip route del 10.244.0.0/16 dev flannel0"}),
    [](const auto& sabotage) { return sabotage.param.name; });

TEST_F(UdpTest, ThreeNodesReachEachOther) {
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Pod>> pods;
  for (int i = 1; i <= 3; ++i) {
    nodes.push_back(add_node(i));
    pods.push_back(add_pod(*nodes.back()));
  }
  for (const auto& one : pods)
    for (const auto& other : pods)
      if (one != other) {
        EXPECT_TRUE(connected(*one, *other));
        EXPECT_TRUE(test::streams(*one, *other, kMegabyte));
      }
}

// A node's own programs use the tunnel's address.
TEST_F(TwoPods, CarryWhatTheNodesThemselvesSend) {
  const Fd receiver = test::open_socket(there_->netns, SOCK_DGRAM, there_->address, 7001);
  const Fd sender = test::open_socket(first_->netns(), SOCK_DGRAM, ip("0.0.0.0"), 0);
  const sockaddr_in to = test::at(there_->address, 7001);
  ::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  char byte = 0;
  sockaddr_in from{};
  socklen_t size = sizeof from;
  ASSERT_EQ(::recvfrom(receiver.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size), 1);
  EXPECT_EQ(ntohl(from.sin_addr.s_addr), subnet(*first_).address().v4_number());
}

// Somebody on the network writes to the port of the second node.
class Intruder : public TwoPods {
 protected:
  // Whether a packet that claims to come from `source` gets to the pod.
  bool gets_in(Node& from, const IpAddress& source) {
    const Fd receiver = test::open_socket(there_->netns, SOCK_DGRAM, there_->address, 53,
                                          std::chrono::milliseconds(300));
    const Fd sender = test::open_socket(from.netns(), SOCK_DGRAM, ip("0.0.0.0"), 0);
    const auto packet =
        test::udp({.source = source.v4_number(), .destination = there_->address.v4_number()}, {42});
    const sockaddr_in to = test::at(ip("192.0.2.2"), 8285);
    ::sendto(sender.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
    char byte = 0;
    return ::recv(receiver.get(), &byte, 1, 0) == 1 && byte == 42;
  }
};

TEST_F(Intruder, GetsNothingIn) {
  auto stranger = segment_.add_node({"192.0.2.66/24"});
  // A peer may speak for its own pods, and for nobody else's.
  EXPECT_TRUE(gets_in(*first_, here_->address));
  EXPECT_TRUE(gets_in(*first_, subnet(*first_).address()));
  EXPECT_FALSE(gets_in(*first_, there_->address));
  EXPECT_FALSE(gets_in(*first_, ip("192.0.2.1")));
  EXPECT_FALSE(gets_in(*first_, ip("10.244.255.1")));
  // And a stranger for no one.
  EXPECT_FALSE(gets_in(*stranger, here_->address));
  EXPECT_FALSE(gets_in(*stranger, ip("192.0.2.66")));
  EXPECT_TRUE(gets_in(*first_, here_->address));
}

TEST_F(UdpTest, AnUnusableDeviceOfThatNameIsReplaced) {
  auto node = segment_.add_node({"192.0.2.1/24"});
  // As `ip tuntap add` makes it: one queue, persistent.
  node->sh("ip tuntap add dev flannel0 mode tun");
  node->start_agent(*store_);
  EXPECT_TRUE(ready(*node)) << node->status();
  EXPECT_TRUE(node->link("flannel0").running);
}

TEST_F(UdpTest, ATakenPortIsNamedAndWaitedFor) {
  auto node = segment_.add_node({"192.0.2.1/24"});
  {
    const Fd other = test::open_socket(node->netns(), SOCK_DGRAM, ip("0.0.0.0"), 8285);
    node->start_agent(*store_);
    EXPECT_TRUE(eventually([&] {
      return node->status().find("192.0.2.1:8285") != std::string::npos &&
             node->status().find("is flanneld running?") != std::string::npos;
    })) << node->status();
    EXPECT_FALSE(must(node->rtnetlink().link("flannel0")));
  }
  EXPECT_TRUE(ready(*node)) << node->status();
}

TEST_F(TwoPods, AnotherAddressOfTheUplinkIsFollowed) {
  second_->sh("ip addr del 192.0.2.2/24 dev eth0");
  second_->sh("ip addr add 192.0.2.22/24 dev eth0");
  EXPECT_TRUE(connected(*here_, *there_));
}

// Without a daemon the device, its address and its route stay, so that no packet takes another
// way; with the next one a stream goes on.
class UdpRestart : public UdpTest {
 protected:
  std::unique_ptr<test::Daemon> start(Node& node) {
    return node.in([&] {
      return std::make_unique<test::Daemon>(
          std::vector<std::string>{WEFTD, "flanneld", "--store=directory",
                                   "--store-dir=" + store_dir(), "--iface=eth0",
                                   "--subnet-file=" + node.subnet_file()},
          node.subnet_file() + ".log");
    });
  }
};

TEST_F(UdpRestart, AStreamOutlivesAKilledDaemon) {
  auto first = add_node(1);
  auto second = segment_.add_node({"192.0.2.2/24"});
  auto daemon = start(*second);
  ASSERT_TRUE(ready(*second)) << daemon->said();
  const auto here = add_pod(*first);
  const auto there = add_pod(*second);
  ASSERT_TRUE(connected(*here, *there));
  const auto connection = test::open_connection(*here, *there);
  const Link device = second->link("flannel0");
  const auto addresses = second->overlay_state().addresses;
  constexpr std::size_t kSize = 400 * kMegabyte;
  std::size_t arrived = 0;
  {
    const std::jthread stream(
        [&] { arrived = test::pump(connection.client, connection.server, kSize); });
    for (int i = 0; i < 3; ++i) {
      daemon->end(SIGKILL);
      EXPECT_EQ(second->link("flannel0").index, device.index);
      EXPECT_EQ(second->overlay_state().addresses, addresses);
      EXPECT_EQ(must(second->rtnetlink().route_to(here->address)).link(), device.index);
      must(remove_file(second->status_file()));
      daemon = start(*second);
      EXPECT_TRUE(ready(*second)) << daemon->said();
    }
  }
  EXPECT_EQ(arrived, kSize);
}

// A second daemon on a node must not take a share of the first one's packets.
TEST_F(UdpRestart, TwoDaemonsDoNotShareAPort) {
  auto node = add_node(1);
  must(remove_file(node->status_file()));
  auto second = start(*node);
  EXPECT_TRUE(eventually([&] {
    return second->said().find("another program has the port") != std::string::npos;
  })) << second->said();
}

}  // namespace
}  // namespace weft::overlay
