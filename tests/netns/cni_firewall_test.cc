// The firewall plugin with packets: what passes a host whose FORWARD chain drops, and which
// bridges hear each other under each ingress policy. Comparisons with the Go plugin are in
// tests/peers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/sysctl.h"
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

constexpr std::uint16_t kPort = 80;

Fd tcp_socket() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return socket;
}
Fd listen_in(const Container& container) {
  const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
  Fd socket = tcp_socket();
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(kPort);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
  EXPECT_EQ(::listen(socket.get(), 16), 0);
  return socket;
}
bool connects(const Container& from, const std::string& address) {
  const auto visit = must(kernel::NetnsVisit::enter(from.netns()));
  const Fd socket = tcp_socket();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}
std::string rules() {
  return must(run_or_fail({.argv = {"iptables-nft-save", "-t", "filter"}}));
}

class CniFirewall : public testing::Test {
 protected:
  // Bridge brN with 10.1.N.0/24.
  CniChain chain(int number, const std::string& members = {}) const {
    const std::string n = std::to_string(number);
    return CniChain({R"({"type":"bridge","bridge":"br)" + n +
                         R"(","isGateway":true,"ipam":{"type":"host-local","dataDir":"DATA",
                         "ranges":[[{"subnet":"10.1.)" +
                         n + R"(.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}})",
                     R"({"type":"firewall","backend":"iptables")" + members + "}"},
                    data_.path(), "1.0.0", "net" + n);
  }
  static void drop_what_is_forwarded() {
    must(run_or_fail({.argv = {"iptables-nft", "-P", "FORWARD", "DROP"}}));
  }

  TempDir data_;
  WeftPlugins links_;
  test::PluginFolder plugins_ = links_.folder();
};

TEST_F(CniFirewall, TrafficPassesAHostThatDropsUntilDel) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    drop_what_is_forwarded();
    const Container one("c1");
    const Container two("c2");
    CniChain first = chain(1);
    CniChain second = chain(2);
    for (auto* list : {&first, &second}) {
      const PluginReply added = list->add(plugins_, (list == &first ? one : two).port());
      ASSERT_TRUE(added.ok()) << added.output;
    }
    const Fd server = listen_in(two);
    EXPECT_TRUE(connects(one, "10.1.2.2"));
    EXPECT_TRUE(first.check(plugins_, one.port()).ok());
    // An administrator's word comes first.
    must(
        run_or_fail({.argv = {"iptables-nft", "-A", "CNI-ADMIN", "-s", "10.1.1.2", "-j", "DROP"}}));
    EXPECT_FALSE(connects(one, "10.1.2.2"));
    must(run_or_fail({.argv = {"iptables-nft", "-F", "CNI-ADMIN"}}));
    ASSERT_TRUE(second.del(plugins_, two.port()).ok());
    ASSERT_TRUE(first.del(plugins_, one.port()).ok());
    EXPECT_EQ(rules().find("10.1."), std::string::npos) << rules();
    EXPECT_NE(rules().find("-A FORWARD -m comment --comment \"CNI firewall plugin rules\""),
              std::string::npos);
  });
}

struct PolicyCase {
  const char* policy;
  bool to_another_bridge;
  bool within_the_bridge;
};

TEST_F(CniFirewall, EachIngressPolicyLetsInWhatItSays) {
  constexpr PolicyCase kCases[] = {
      {"open", true, true}, {"same-bridge", false, true}, {"isolated", false, false}};
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.policy);
    test::in_fresh_netns([&](kernel::Rtnetlink&) {
      // So that what a bridge hands from port to port is seen by iptables.
      must(kernel::write_sysctl("net/bridge/bridge-nf-call-iptables", "1"));
      const std::string policy = std::string(R"(,"ingressPolicy":")") + one.policy + "\"";
      CniChain first = chain(1, policy);
      CniChain second = chain(2, policy);
      const Container a("a");
      const Container b("b");
      const Container c("c");
      ASSERT_TRUE(first.add(plugins_, a.port()).ok());
      ASSERT_TRUE(first.add(plugins_, b.port()).ok());
      const PluginReply added = second.add(plugins_, c.port());
      ASSERT_TRUE(added.ok()) << added.output;
      const Fd in_b = listen_in(b);
      const Fd in_c = listen_in(c);
      const auto address_of = [](const Container& container) {
        return container.inside([](kernel::Rtnetlink& inside) {
          const auto link = must(inside.link("eth0"));
          for (const auto& found : must(inside.addresses(link->index)))
            if (found.key.address.address.is_v4()) return found.key.address.address.to_string();
          return std::string();
        });
      };
      EXPECT_EQ(connects(a, address_of(c)), one.to_another_bridge) << rules();
      EXPECT_EQ(connects(a, address_of(b)), one.within_the_bridge) << rules();
      for (const auto& [list, container] :
           {std::pair{&first, &a}, std::pair{&first, &b}, std::pair{&second, &c}}) {
        const PluginReply checked = list->check(plugins_, container->port());
        EXPECT_TRUE(checked.ok()) << checked.output;
        EXPECT_TRUE(list->del(plugins_, container->port()).ok());
      }
    });
  }
}

TEST_F(CniFirewall, DelFindsItsRulesWithoutResultAndNamespace) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    CniChain list = chain(1);
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(list.add(plugins_, one.port()).ok());
    ASSERT_TRUE(list.add(plugins_, two.port()).ok());
    auto gone = one.port();
    gone.netns.clear();
    EXPECT_TRUE(list.del_without_result(plugins_, gone).ok());
    EXPECT_EQ(rules().find("10.1.1.2/32"), std::string::npos) << rules();
    EXPECT_TRUE(list.check(plugins_, two.port()).ok());
  });
}

TEST_F(CniFirewall, GcTakesTheRulesOfItsNetworkAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    CniChain list = chain(1);
    CniChain other = chain(2);
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(list.add(plugins_, one.port()).ok());
    ASSERT_TRUE(other.add(plugins_, two.port()).ok());
    EXPECT_TRUE(list.gc(plugins_, {one.port()}).ok());
    EXPECT_TRUE(list.check(plugins_, one.port()).ok());
    EXPECT_TRUE(list.gc(plugins_, {}).ok());
    EXPECT_EQ(rules().find("10.1.1.2/32"), std::string::npos) << rules();
    EXPECT_NE(rules().find("10.1.2.2/32"), std::string::npos) << rules();
  });
}

TEST_F(CniFirewall, CheckFindsAFlushAndChangesNothing) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    CniChain list = chain(1);
    const Container one("c1");
    ASSERT_TRUE(list.add(plugins_, one.port()).ok());
    must(run_or_fail({.argv = {"nft", "flush", "ruleset"}}));
    const PluginReply checked = list.check(plugins_, one.port());
    EXPECT_NE(checked.message().find("chain CNI-FORWARD not found"), std::string::npos)
        << checked.output;
    EXPECT_EQ(must(run_or_fail({.argv = {"nft", "list", "ruleset"}})), "");
    EXPECT_TRUE(list.del(plugins_, one.port()).ok());
  });
}

TEST_F(CniFirewall, IsolationStaysAheadOfWhatIsLetThrough) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    CniChain list = chain(1, R"(,"ingressPolicy":"isolated")");
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(list.add(plugins_, one.port()).ok());
    must(run_or_fail({.argv = {"iptables-nft", "-D", "FORWARD", "2"}}));
    ASSERT_TRUE(list.add(plugins_, two.port()).ok());
    const std::string saved = rules();
    EXPECT_LT(saved.find("-j CNI-ISOLATION-STAGE-1"), saved.find("-j CNI-FORWARD")) << saved;
  });
}

TEST_F(CniFirewall, ConfigurationsThatAreRefused) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container one("c1");
    const auto message = [&](const std::string& members) {
      return chain(1, members).add(plugins_, one.port()).message();
    };
    EXPECT_EQ(message(R"(,"ingressPolicy":"closed")"), R"(unknown ingress policy: "closed")");
    const PluginReply alone = plugins_.call(
        "firewall", "ADD", one.port(), R"({"cniVersion":"1.0.0","name":"n","type":"firewall"})");
    EXPECT_EQ(alone.message(), "missing prevResult from earlier plugin");
    const PluginReply old = plugins_.call("firewall", "ADD", one.port(),
                                          R"({"cniVersion":"0.3.1","name":"n","type":"firewall"})");
    EXPECT_EQ(old.code(), 1);
  });
}

TEST_F(CniFirewall, FiftyAtOnceLeaveNothingBehind) {
  constexpr std::size_t kContainers = 50;
  constexpr unsigned kAtOnce = 8;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const auto home = must(kernel::Netns::current());
    std::vector<Container> containers;
    std::vector<CniChain> lists;
    for (std::size_t i = 0; i < kContainers; ++i) {
      containers.emplace_back("c" + std::to_string(i));
      lists.push_back(chain(1));
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
    EXPECT_EQ(rules().find("10.1.1."), std::string::npos) << rules();
  });
}

}  // namespace
}  // namespace weft
