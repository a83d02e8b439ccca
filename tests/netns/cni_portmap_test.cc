// The portmap plugin on the real kernel, with packets: what gets through a mapped port, what no
// longer does, and what is left when others meddle. Comparisons with the Go plugin are in
// tests/peers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "support/cni_chain.h"
#include "support/cni_container.h"

namespace weft {
namespace {

using test::CniChain;
using test::Container;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr std::uint16_t kHostPort = 8080;
constexpr std::uint16_t kContainerPort = 80;
constexpr std::uint16_t kClientPort = 40'000;

sockaddr_in at(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}
Fd bound_socket(int type, std::uint16_t port) {
  Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int one = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const timeval patience{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const sockaddr_in local = at("0.0.0.0", port);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
  return socket;
}
// In the calling thread's namespace; whether the handshake was done.
bool connects(const std::string& address, std::uint16_t port) {
  const Fd socket = bound_socket(SOCK_STREAM, 0);
  const sockaddr_in to = at(address, port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}
Fd listen_in(const Container& container) {
  const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
  Fd socket = bound_socket(SOCK_STREAM, kContainerPort);
  EXPECT_EQ(::listen(socket.get(), 16), 0);
  return socket;
}
bool received(const Fd& socket) {
  char byte = 0;
  return ::recv(socket.get(), &byte, 1, 0) == 1;
}
void send_to(const Fd& socket, const std::string& address, std::uint16_t port) {
  const sockaddr_in to = at(address, port);
  ::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

std::string bridge_plugin() {
  return R"({"type":"bridge","bridge":"br0","isGateway":true,"hairpinMode":true,"ipam":{
      "type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]],
      "routes":[{"dst":"0.0.0.0/0"}]}})";
}
std::string portmap_plugin(const std::string& backend, const std::string& protocol,
                           const std::string& more = {}) {
  return R"({"type":"portmap","backend":")" + backend + R"(",)" + more +
         R"("runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":")" +
         protocol + R"("}]}})";
}
std::string ruleset() {
  return must(run_or_fail({.argv = {"nft", "-s", "list", "ruleset"}}));
}

class CniPortmap : public testing::TestWithParam<const char*> {
 protected:
  CniChain chain(const std::string& protocol, const std::string& more = {}) const {
    return CniChain({bridge_plugin(), portmap_plugin(GetParam(), protocol, more)}, data_.path());
  }

  TempDir data_;
  WeftPlugins links_;
  test::PluginFolder plugins_ = links_.folder();
};

TEST_P(CniPortmap, TcpFromHostLoopbackAndTheContainerItself) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    CniChain list = chain("tcp");
    const PluginReply added = list.add(plugins_, container.port());
    ASSERT_TRUE(added.ok()) << added.output;
    const Fd server = listen_in(container);
    EXPECT_TRUE(connects("10.1.2.1", kHostPort));
    EXPECT_TRUE(connects("127.0.0.1", kHostPort));
    EXPECT_FALSE(connects("10.1.2.1", kContainerPort));
    {
      const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
      EXPECT_TRUE(connects("10.1.2.1", kHostPort)) << "hairpin";
    }
    EXPECT_TRUE(list.check(plugins_, container.port()).ok());
    ASSERT_TRUE(list.del(plugins_, container.port()).ok());
    EXPECT_FALSE(connects("10.1.2.1", kHostPort));
    EXPECT_FALSE(connects("127.0.0.1", kHostPort));
    EXPECT_EQ(ruleset().find("10.1.2.2"), std::string::npos) << ruleset();
  });
}

// What merely passes through to that port of another machine is not ours (CVE-2025-67499).
TEST_P(CniPortmap, ForwardedTrafficToTheSamePortIsLeftAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container mapped("c1");
    const Container other("c2");
    CniChain list = chain("tcp");
    CniChain plain({bridge_plugin()}, data_.path());
    ASSERT_TRUE(list.add(plugins_, mapped.port()).ok());
    ASSERT_TRUE(plain.add(plugins_, other.port()).ok());
    const Fd server = listen_in(mapped);
    EXPECT_FALSE(connects("10.1.2.3", kHostPort)) << "it is a port of 10.1.2.3, where none listens";
  });
}

TEST_P(CniPortmap, UdpFlowsFollowTheNewestOwnerOfThePort) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container first("c1");
    const Container second("c2");
    CniChain list = chain("udp");
    ASSERT_TRUE(list.add(plugins_, first.port()).ok());
    const auto server_in = [](const Container& container) {
      const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
      return bound_socket(SOCK_DGRAM, kContainerPort);
    };
    const Fd one = server_in(first);
    const Fd client = bound_socket(SOCK_DGRAM, kClientPort);
    send_to(client, "10.1.2.1", kHostPort);
    EXPECT_TRUE(received(one));

    ASSERT_TRUE(list.add(plugins_, second.port()).ok());
    const Fd two = server_in(second);
    send_to(client, "10.1.2.1", kHostPort);
    EXPECT_TRUE(received(two)) << "the same flow must not stay with the first";
    EXPECT_FALSE(received(one));

    ASSERT_TRUE(list.del(plugins_, first.port()).ok());
    send_to(client, "10.1.2.1", kHostPort);
    EXPECT_TRUE(received(two)) << "the DEL of the first is not about the second";

    ASSERT_TRUE(list.del(plugins_, second.port()).ok());
    send_to(client, "10.1.2.1", kHostPort);
    EXPECT_FALSE(received(two)) << "a flow must not outlive its mapping";
  });
}

TEST_P(CniPortmap, DelWorksWithoutResultAndGcWithoutDel) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container first("c1");
    const Container second("c2");
    CniChain list = chain("tcp");
    ASSERT_TRUE(list.add(plugins_, first.port()).ok());
    ASSERT_TRUE(list.add(plugins_, second.port()).ok());
    EXPECT_TRUE(list.del_without_result(plugins_, first.port()).ok());
    EXPECT_EQ(ruleset().find("10.1.2.2"), std::string::npos) << ruleset();
    CniChain elsewhere({bridge_plugin(), portmap_plugin(GetParam(), "tcp")}, data_.path(), "1.0.0",
                       "other");
    EXPECT_TRUE(elsewhere.gc(plugins_, {}).ok());
    EXPECT_TRUE(list.gc(plugins_, {second.port()}).ok());
    EXPECT_TRUE(list.check(plugins_, second.port()).ok()) << ruleset();
    const PluginReply collected = list.gc(plugins_, {});
    EXPECT_TRUE(collected.ok()) << collected.output;
    EXPECT_EQ(ruleset().find("10.1.2.3"), std::string::npos) << ruleset();
  });
}

TEST_P(CniPortmap, AFlushIsSeenByCheckAndMendedByTheNextAdd) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    CniChain list = chain("tcp");
    ASSERT_TRUE(list.add(plugins_, container.port()).ok());
    must(run_or_fail({.argv = {"nft", "flush", "ruleset"}}));
    const std::string before = ruleset();
    EXPECT_FALSE(list.check(plugins_, container.port()).ok());
    EXPECT_EQ(ruleset(), before);
    EXPECT_TRUE(list.del(plugins_, container.port()).ok());
    ASSERT_TRUE(list.add(plugins_, container.port()).ok());
    const Fd server = listen_in(container);
    EXPECT_TRUE(connects("10.1.2.1", kHostPort));
  });
}

TEST_P(CniPortmap, FiftyAtOnceLeaveNothingBehind) {
  constexpr std::size_t kContainers = 50;
  constexpr unsigned kAtOnce = 8;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const auto home = must(kernel::Netns::current());
    std::vector<Container> containers;
    std::vector<CniChain> lists;
    for (std::size_t i = 0; i < kContainers; ++i) {
      containers.emplace_back("c" + std::to_string(i));
      lists.push_back(chain("tcp"));
    }
    std::atomic<int> failed{0};
    const auto in_parallel = [&](const auto& each) {
      std::atomic<std::size_t> next{0};
      std::vector<std::jthread> threads;
      for (unsigned k = 0; k < kAtOnce; ++k)
        threads.emplace_back([&] {
          const auto visit = must(kernel::NetnsVisit::enter(home));
          for (std::size_t i = next++; i < kContainers; i = next++)
            if (!each(i).ok()) ++failed;
        });
    };
    in_parallel([&](std::size_t i) { return lists[i].add(plugins_, containers[i].port()); });
    in_parallel([&](std::size_t i) { return lists[i].check(plugins_, containers[i].port()); });
    in_parallel([&](std::size_t i) { return lists[i].del(plugins_, containers[i].port()); });
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(ruleset().find("10.1.2."), std::string::npos) << ruleset();
    EXPECT_EQ(ruleset().find("CNI-DN-"), std::string::npos) << ruleset();
  });
}

INSTANTIATE_TEST_SUITE_P(Cni, CniPortmap, testing::Values("iptables", "nftables"),
                         [](const auto& param) { return std::string(param.param); });

TEST(CniPortmapFailure, AnAddThatFailsLeavesNoRules) {
  test::in_fresh_netns([](kernel::Rtnetlink&) {
    const TempDir data;
    const WeftPlugins weft;
    const Container container("c1");
    // No such chain to jump to.
    CniChain list({bridge_plugin(),
                   portmap_plugin("iptables", "tcp", R"("externalSetMarkChain":"NO-SUCH",)")},
                  data.path());
    const PluginReply added = list.add(weft.folder(), container.port());
    EXPECT_FALSE(added.ok());
    EXPECT_NE(added.message().find("unable to setup DNAT"), std::string::npos) << added.output;
    EXPECT_EQ(ruleset().find("CNI-"), std::string::npos) << ruleset();
  });
}

TEST(CniPortmapLegacy, IsUsedWhereItIsInUse) {
  test::in_fresh_netns([](kernel::Rtnetlink&) {
    const auto made =
        must(run({.argv = {"iptables-legacy", "-t", "nat", "-A", "PREROUTING", "-j", "ACCEPT"}}));
    if (made.exit_code != 0) GTEST_SKIP() << made.errors;
    const TempDir data;
    const WeftPlugins weft;
    const Container container("c1");
    CniChain list({bridge_plugin(), portmap_plugin("iptables", "tcp")}, data.path());
    const auto saved = [] {
      return must(run_or_fail({.argv = {"iptables-legacy-save", "-t", "nat"}}));
    };
    const PluginReply added = list.add(weft.folder(), container.port());
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_NE(saved().find("--to-destination 10.1.2.2:80"), std::string::npos) << saved();
    const PluginReply checked = list.check(weft.folder(), container.port());
    EXPECT_TRUE(checked.ok()) << checked.output;
    EXPECT_TRUE(list.del(weft.folder(), container.port()).ok());
    EXPECT_EQ(saved().find("CNI-DN-"), std::string::npos) << saved();
  });
}

}  // namespace
}  // namespace weft
