// Userspace mode: packets that rules lead to the relay, in both families and both kinds of
// iptables.
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "service/loopback_ports.h"
#include "service/userspace_mode.h"
#include "support/service_node.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::hears_nothing;
using weft::test::must;
using weft::test::ServiceLab;
using weft::test::Space;
using Words = std::vector<std::string>;

struct Setting {
  const char* flavour;
  Family family;
};
constexpr Setting kSettings[] = {{"nft", Family::kIpv4},
                                 {"nft", Family::kIpv6},
                                 {"legacy", Family::kIpv4},
                                 {"legacy", Family::kIpv6}};

class UserspaceModeTest : public testing::TestWithParam<Setting> {
 protected:
  Family family() const { return GetParam().family; }
  std::unique_ptr<UserspaceMode> open() {
    return lab_.node.in([&] {
      return std::make_unique<UserspaceMode>(
          must(UserspaceMode::open({rule_options(family())}, {.flavour = GetParam().flavour})));
    });
  }
  ServiceNode start() { return {lab_.node, open(), family()}; }
  Endpoint here() const { return endpoint(lab_.pod(1, 10).to_string(), "here"); }
  Endpoint here_too() const { return endpoint(lab_.pod(1, 11).to_string(), "here"); }
  Endpoint there() const { return endpoint(lab_.pod(2, 10).to_string()); }
  IpAddress cluster_ip() const { return VerdictAddresses::of(family()).cluster; }
  std::string program(const std::string& part = "") const {
    return std::string(family() == Family::kIpv4 ? "iptables-" : "ip6tables-") +
           GetParam().flavour + part;
  }
  std::string saved() { return lab_.node.run({program("-save"), "-t", "nat"}); }

  ServiceLab lab_{GetParam().family};
};

INSTANTIATE_TEST_SUITE_P(Service, UserspaceModeTest, testing::ValuesIn(kSettings),
                         [](const auto& each) {
                           return std::string(each.param.flavour) +
                                  (each.param.family == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

TEST_P(UserspaceModeTest, EveryFrontLeadsToAnEndpoint) {
  ServiceNode node = start();
  const Service service = exposed(family());
  node.put(service, {here()});
  // The endpoint hears from the node: clients' addresses are lost here.
  const std::string answer = "here " + lab_.pod(1, 1).to_string();
  for (const Space* from : {&lab_.pod_client, &lab_.node, &lab_.client}) {
    EXPECT_EQ(ask(*from, cluster_ip(), 80), answer);
    EXPECT_EQ(ask(*from, service.load_balancer_ips[0], 80), answer);
    EXPECT_EQ(ask(*from, lab_.uplink(2, 1), kNodePort), answer);
  }
  EXPECT_EQ(ask(lab_.client, service.external_ips[0], 80), answer);
  const IpAddress loopback = ip(family() == Family::kIpv4 ? "127.0.0.1" : "::1");
  EXPECT_EQ(ask(lab_.node, loopback, kNodePort), answer);
  // A pod is its own endpoint without further ado.
  EXPECT_EQ(ask(lab_.here, cluster_ip(), 80), answer);
}

TEST_P(UserspaceModeTest, EndpointsComeAndGoWithoutANewRule) {
  ServiceNode node = start();
  node.put(inner(family()), {here()});
  const std::string before = saved().substr(saved().find("*nat"));
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 6),
            (std::map<std::string, int>{{"here", 6}}));
  node.put(inner(family()), {here(), here_too(), there()});
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 6),
            (std::map<std::string, int>{{"here", 2}, {"here-too", 2}, {"there", 2}}));
  node.put(inner(family()), {there()});
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 6),
            (std::map<std::string, int>{{"there", 6}}));
  const auto rules = [](const std::string& text) {
    std::string all;
    for (const auto& line : split(text, '\n'))
      if (line.starts_with("-A ")) all += line + "\n";
    return all;
  };
  EXPECT_EQ(rules(saved()), rules(before));
  node.remove(web().name);
  EXPECT_EQ(saved().find("REDIRECT"), std::string::npos);
  EXPECT_TRUE(hears_nothing(lab_.pod_client, cluster_ip(), 80));
}

TEST_P(UserspaceModeTest, AClientStaysWithItsEndpoint) {
  ServiceNode node = start();
  const Service sticky =
      with(inner(family()), [](Service& s) { s.client_affinity = std::chrono::seconds(60); });
  node.put(sticky, {here(), here_too(), there()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 6).size(), 1U);
}

TEST_P(UserspaceModeTest, ConnectionsPassOverAnEndpointThatRefuses) {
  ServiceNode node = start();
  Service service = inner(family());
  service.ports[0].protocol = ServiceProtocol::kTcp;
  // Nobody listens at the pod that is a client.
  node.put(service, {here(), endpoint(lab_.pod(1, 20).to_string(), "here")});
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(weft::test::ask_by_tcp(lab_.client, cluster_ip(), 80),
              "here " + lab_.pod(1, 1).to_string());
}

TEST_P(UserspaceModeTest, ANodePortThatSomebodyHasIsLeftToIt) {
  const kernel::SocketAddress own(IpAddress::any(family()), kNodePort);
  Fd others(lab_.node.in(
      [&] { return ::socket(kernel::socket_family(cluster_ip()), SOCK_DGRAM | SOCK_CLOEXEC, 0); }));
  ASSERT_EQ(::bind(others.get(), own.get(), own.size), 0);
  ServiceNode node = start();
  node.put(exposed(family()), {here()});
  EXPECT_EQ(saved().find("--dport " + std::to_string(kNodePort)), std::string::npos);
  EXPECT_EQ(ask(lab_.client, cluster_ip(), 80).substr(0, 4), "here");
  // It is taken once it is free and the service is looked at again.
  others.reset();
  node.put(exposed(family()), {here(), here_too()});
  EXPECT_EQ(ask(lab_.client, lab_.uplink(2, 1), kNodePort).substr(0, 4), "here");
}

TEST_P(UserspaceModeTest, TheOlderServiceHasANodePortThatTwoAskFor) {
  ServiceNode node = start();
  Service older = exposed(family());
  older.created = UnixSeconds(std::chrono::seconds(1));
  Service younger = exposed(family());
  younger.name.name = "younger";
  younger.created = UnixSeconds(std::chrono::seconds(2));
  younger.cluster_ips = {cluster_ip().plus(7).value()};
  node.put(younger, {there()});
  const auto answer = [&] {
    return answers(lab_.client, lab_.uplink(2, 1), kNodePort, 1).begin()->first;
  };
  EXPECT_EQ(answer(), "there");
  node.put(older, {here()});
  EXPECT_EQ(answer(), "here");
  EXPECT_EQ(ask(lab_.client, younger.cluster_ips[0], 80).substr(0, 5), "there");
  node.remove(older.name);
  EXPECT_EQ(answer(), "there");
}

TEST_P(UserspaceModeTest, ARestartLeadsToTheNewPorts) {
  {
    ServiceNode node = start();
    node.put(inner(family()), {here()});
  }
  EXPECT_EQ(ask(lab_.pod_client, cluster_ip(), 80), "refused");
  ServiceNode again = start();
  again.put(inner(family()), {here()});
  EXPECT_EQ(ask(lab_.pod_client, cluster_ip(), 80).substr(0, 4), "here");
  EXPECT_EQ(again.repair(), Words{});
}

TEST_P(UserspaceModeTest, WhatOthersDidIsRepaired) {
  ServiceNode node = start();
  node.put(inner(family()), {here()});
  lab_.node.sh(program() + " -t nat -F KUBE-PORTALS-CONTAINER");
  EXPECT_TRUE(hears_nothing(lab_.pod_client, cluster_ip(), 80));
  EXPECT_EQ(node.repair(), Words{program() + ": nat chain KUBE-PORTALS-CONTAINER: put"});
  EXPECT_EQ(ask(lab_.pod_client, cluster_ip(), 80).substr(0, 4), "here");
}

TEST_P(UserspaceModeTest, TakesItsChainsAwayAndItsPorts) {
  ServiceNode node = start();
  node.put(exposed(family()), {here()});
  lab_.node.in([&] { must(node.mode().remove()); });
  EXPECT_EQ(saved().find("KUBE-"), std::string::npos) << saved();
  EXPECT_EQ(ask(lab_.client, lab_.uplink(2, 1), kNodePort), "refused");
}

TEST_P(UserspaceModeTest, SctpIsLeftOut) {
  ServiceNode node = start();
  Service service = inner(family());
  service.ports[0].protocol = ServiceProtocol::kSctp;
  node.put(service, {here()});
  EXPECT_EQ(saved().find("REDIRECT"), std::string::npos);
}

TEST_P(UserspaceModeTest, WhatTheNodeSendsGoesToItsFirstAddress) {
  ServiceNode node = start();
  node.put(inner(family()), {here()});
  const std::string text = saved();
  const std::string address = lab_.uplink(2, 1).to_string();
  EXPECT_NE(text.find("-j DNAT --to-destination " +
                      (family() == Family::kIpv4 ? address : "[" + address + "]") + ":"),
            std::string::npos)
      << text;
}

// Where a node has no IPv6 but for its loopback address, what it sends is redirected there.
class UserspaceModeWithoutAddressTest : public UserspaceModeTest {};
INSTANTIATE_TEST_SUITE_P(Service, UserspaceModeWithoutAddressTest,
                         testing::Values(kSettings[1], kSettings[3]),
                         [](const auto& each) { return std::string(each.param.flavour); });

TEST_P(UserspaceModeWithoutAddressTest, TheNodeReachesItsServicesAllTheSame) {
  const Space bare;
  bare.sh("ip -6 route add default dev lo");
  auto mode = bare.in([&] {
    return std::make_unique<UserspaceMode>(
        must(UserspaceMode::open({rule_options(family())}, {.flavour = GetParam().flavour})));
  });
  ServiceNode node(bare, std::move(mode), family());
  const IpAddress loopback = ip("::1");
  weft::test::Answerer answerer;
  answerer.listen(bare, "bare", loopback, ServiceLab::kPort);
  answerer.start();
  node.put(inner(family()), {endpoint(loopback.to_string(), "here")});
  EXPECT_EQ(ask(bare, cluster_ip(), 80), "bare ::1");
}

// --- node ports at loopback addresses
// ---------------------------------------------------------------

class LoopbackPortsTest : public testing::TestWithParam<Family> {
 protected:
  LoopbackPortsTest()
      : ports_(lab_.node.in([] {
          return must(LoopbackPorts::start({Family::kIpv4, Family::kIpv6}, {}));
        })) {}
  // The service with every front and these endpoints.
  void put(const std::vector<Endpoint>& endpoints) {
    PlannedService service{.name = web().name};
    service.plans.emplace(family(), plan(exposed(family()), {slice(endpoints, "web-1", family())},
                                         {.node = kHere}, family()));
    put(service);
  }
  void put(const PlannedService& service) {
    lab_.node.in([&] { ports_.put({service}); });
  }
  Family family() const { return GetParam(); }
  IpAddress loopback() const { return ip(family() == Family::kIpv4 ? "127.0.0.1" : "::1"); }
  Endpoint here() const { return endpoint(lab_.pod(1, 10).to_string(), "here"); }
  std::string answer() const { return ask(lab_.node, loopback(), kNodePort); }

  ServiceLab lab_{GetParam()};
  LoopbackPorts ports_;
};

INSTANTIATE_TEST_SUITE_P(Service, LoopbackPortsTest, testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) {
                           return std::string(each.param == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

TEST_P(LoopbackPortsTest, AreOpenAsLongAsTheServiceIs) {
  EXPECT_EQ(answer(), "refused");
  put({here()});
  EXPECT_EQ(answer(), "here " + lab_.pod(1, 1).to_string());
  // Nowhere else: that is what rules are for.
  EXPECT_EQ(ask(lab_.client, lab_.uplink(2, 1), kNodePort), "refused");
  put(PlannedService{.name = web().name});
  EXPECT_EQ(answer(), "refused");
}

TEST_P(LoopbackPortsTest, APortThatSomebodyHasIsLeftToIt) {
  const kernel::SocketAddress own(loopback(), kNodePort);
  const Fd others(lab_.node.in(
      [&] { return ::socket(kernel::socket_family(loopback()), SOCK_DGRAM | SOCK_CLOEXEC, 0); }));
  ASSERT_EQ(::bind(others.get(), own.get(), own.size), 0);
  put({here()});
  EXPECT_TRUE(hears_nothing(lab_.node, loopback(), kNodePort));
}

}  // namespace
}  // namespace weft::service
