// What userspace mode writes: golden texts, as iptables-save prints them.
#include "service/portal_rules.h"

#include <gtest/gtest.h>

#include "support/iptables_model.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using Words = std::vector<std::string>;

const Portal kPortal{.name = "shop/web:http",
                     .fronts = {{.port = 8080, .address = ip("10.254.247.121")}},
                     .relay_port = 50948};
const IpAddress kNode = ip("172.17.42.31");

std::string lines(const IptablesContents& contents) {
  std::string text;
  for (const auto& [table, chains] :
       {std::pair("filter", &contents.filter), std::pair("nat", &contents.nat)})
    for (const auto& [chain, rules] : *chains)
      for (const auto& rule : rules) text += std::string(table) + " " + chain + " " + rule + "\n";
  return text;
}

Portal with_front(FrontKind kind, const IpAddress& address, std::uint16_t port) {
  Portal portal = kPortal;
  portal.fronts = {{.kind = kind, .port = port, .address = address}};
  return portal;
}

TEST(PortalRules, OfAClusterAddress) {
  EXPECT_EQ(
      lines(portal_rules({kPortal}, kNode)),
      R"(nat KUBE-PORTALS-CONTAINER -d 10.254.247.121/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 8080 -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-HOST -d 10.254.247.121/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 8080 -j DNAT --to-destination 172.17.42.31:50948
)");
}

TEST(PortalRules, OfANodeWithoutAnAddress) {
  EXPECT_EQ(
      lines(portal_rules({kPortal}, std::nullopt)),
      R"(nat KUBE-PORTALS-CONTAINER -d 10.254.247.121/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 8080 -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-HOST -d 10.254.247.121/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 8080 -j REDIRECT --to-ports 50948
)");
}

TEST(PortalRules, OfANodePort) {
  EXPECT_EQ(
      lines(portal_rules({with_front(FrontKind::kNodePort, ip("0.0.0.0"), 30080)}, kNode)),
      R"(filter KUBE-NODEPORT-NON-LOCAL -p tcp -m comment --comment "shop/web:http" -m tcp --dport 50948 -m state --state NEW -j ACCEPT
nat KUBE-NODEPORT-CONTAINER -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j REDIRECT --to-ports 50948
nat KUBE-NODEPORT-HOST -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j DNAT --to-destination 172.17.42.31:50948
)");
}

TEST(PortalRules, OfAddressesFromOutside) {
  EXPECT_EQ(
      lines(portal_rules({with_front(FrontKind::kExternalIp, ip("198.51.100.1"), 80)}, kNode)),
      R"(nat KUBE-PORTALS-CONTAINER -d 198.51.100.1/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 80 -m physdev ! --physdev-is-in -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-CONTAINER -d 198.51.100.1/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-HOST -d 198.51.100.1/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.17.42.31:50948
)");
  // A load balancer's is as a cluster address.
  EXPECT_EQ(
      lines(portal_rules({with_front(FrontKind::kLoadBalancer, ip("203.0.113.1"), 80)}, kNode)),
      R"(nat KUBE-PORTALS-CONTAINER -d 203.0.113.1/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 80 -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-HOST -d 203.0.113.1/32 -p tcp -m comment --comment "shop/web:http" -m tcp --dport 80 -j DNAT --to-destination 172.17.42.31:50948
)");
}

TEST(PortalRules, OfIpv6) {
  Portal portal = with_front(FrontKind::kClusterIp, ip("fd00:96::a"), 53);
  portal.protocol = ServiceProtocol::kUdp;
  EXPECT_EQ(
      lines(portal_rules({portal}, ip("fd00::1"))),
      R"(nat KUBE-PORTALS-CONTAINER -d fd00:96::a/128 -p udp -m comment --comment "shop/web:http" -m udp --dport 53 -j REDIRECT --to-ports 50948
nat KUBE-PORTALS-HOST -d fd00:96::a/128 -p udp -m comment --comment "shop/web:http" -m udp --dport 53 -j DNAT --to-destination [fd00::1]:50948
)");
}

TEST(PortalRules, NodePortsAreLookedAtLastAndOthersChainsStay) {
  weft::test::IptablesModel kernel;
  kernel.restore("*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n-A PREROUTING -j ACCEPT\nCOMMIT\n");
  const auto update =
      plan_iptables(portal_design(), portal_rules({kPortal}, kNode), kernel.tables());
  for (const auto& script : restore_scripts(update, 1000)) kernel.restore(script);
  const std::string portals =
      "-m comment --comment \"handle ClusterIPs; NOTE: this must be before the NodePort rules\" "
      "-j ";
  const std::string node_ports =
      "-m addrtype --dst-type LOCAL -m comment --comment \"handle service NodePorts; NOTE: this "
      "must be the last rule in the chain\" -j ";
  EXPECT_EQ(kernel.chain("nat", "PREROUTING").rules,
            (Words{portals + "KUBE-PORTALS-CONTAINER", "-j ACCEPT",
                   node_ports + "KUBE-NODEPORT-CONTAINER"}));
  EXPECT_EQ(kernel.chain("nat", "OUTPUT").rules,
            (Words{portals + "KUBE-PORTALS-HOST", node_ports + "KUBE-NODEPORT-HOST"}));
  EXPECT_EQ(plan_iptables(portal_design(), portal_rules({kPortal}, kNode), kernel.tables()),
            IptablesUpdate{});
  for (const auto& script :
       restore_scripts(plan_iptables_removal(portal_design().is_own, kernel.tables()), 1000))
    kernel.restore(script);
  EXPECT_EQ(kernel.chain("nat", "PREROUTING").rules, Words{"-j ACCEPT"});
  EXPECT_TRUE(kernel.tables().at("nat").chains.contains("KUBE-SVC-AAAAAAAAAAAAAAAA"));
}

}  // namespace
}  // namespace weft::service
