// What iptables mode writes for each kind of service: golden texts, as iptables-save prints them.
#include "service/iptables_rules.h"

#include <gtest/gtest.h>

#include "service/iptables_layout.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;

const Endpoint kHereToo = endpoint("10.0.0.10", "here");
const Endpoint kThere = endpoint("10.0.0.2");

IptablesOptions options(Family family = Family::kIpv4) {
  const bool v4 = family == Family::kIpv4;
  return {.rules = {.family = family,
                    .detector = {.ranges = {prefix(v4 ? "10.244.0.0/16" : "fd00:244::/32")}}}};
}

std::string lines(const std::string& table, const ChainRules& chains) {
  std::string text;
  for (const auto& [chain, rules] : chains)
    for (const auto& rule : rules) text += table + " " + chain + " " + rule + "\n";
  return text;
}

// All rules of a service, table by table, those in shared chains first.
std::string rules(const Service& service, const std::vector<Endpoint>& endpoints,
                  const IptablesOptions& options = service::options(), bool commented = true) {
  const Family family = options.rules.family;
  const ServicePlan planned =
      plan(service, {slice(endpoints, "web-1", family)}, {.node = kHere}, family);
  const RulesWanted wanted{
      .name = service.name, .plan = planned, .options = options, .commented = commented};
  const IptablesContents shared = shared_rules(wanted);
  return lines("filter", shared.filter) + lines("nat", shared.nat) +
         lines("nat", port_chains(wanted));
}

TEST(IptablesNames, AreThoseOfKubeProxy) {
  // As every cluster has them.
  const PortPlan https{.name = "https"};
  EXPECT_EQ(port_chain(chain_prefix::kCluster, port_name({"default", "kubernetes"}, https),
                       ServiceProtocol::kTcp),
            "KUBE-SVC-NPX46M4PTMTKRN6Y");
  EXPECT_EQ(port_chain(chain_prefix::kCluster, "kube-system/kube-dns:dns", ServiceProtocol::kUdp),
            "KUBE-SVC-TCOU7JCQXEZGVUNU");
  EXPECT_EQ(
      port_chain(chain_prefix::kCluster, "kube-system/kube-dns:dns-tcp", ServiceProtocol::kTcp),
      "KUBE-SVC-ERIFXISQEP7F7OF4");
  EXPECT_EQ(port_name({"shop", "web"}, PortPlan{}), "shop/web");
  const EndpointRecord v6{.address = ip("fd00::1"), .port = 8080};
  EXPECT_EQ(endpoint_chain("shop/web:http", ServiceProtocol::kTcp, v6),
            "KUBE-SEP-PRTWWW33BNMHRNLL");
  EXPECT_TRUE(is_port_chain("KUBE-XLB-NPX46M4PTMTKRN6Y"));
  EXPECT_FALSE(is_port_chain("KUBE-SERVICES"));
  EXPECT_TRUE(is_proxy_chain("filter", "KUBE-FORWARD"));
  EXPECT_FALSE(is_proxy_chain("nat", "KUBE-FORWARD"));
  EXPECT_TRUE(is_proxy_chain("mangle", "KUBE-PROXY-CANARY"));
  for (const char* of_kubelet : {"KUBE-FIREWALL", "KUBE-KUBELET-CANARY", "KUBE-MARK-DROP"})
    EXPECT_FALSE(is_proxy_chain("filter", of_kubelet)) << of_kubelet;
}

TEST(IptablesRules, OfAClusterAddress) {
  EXPECT_EQ(
      rules(web(), {kHereToo, kThere}),
      R"(nat KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO
nat KUBE-SEP-K6FK65OJ4LD3PEV5 -s 10.0.0.10/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-K6FK65OJ4LD3PEV5 -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.0.0.10:8080
nat KUBE-SEP-MPXWHJSGYP7ZOTSA -s 10.0.0.2/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-MPXWHJSGYP7ZOTSA -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.0.0.2:8080
nat KUBE-SVC-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
nat KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.0.0.10:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-K6FK65OJ4LD3PEV5
nat KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.0.0.2:8080" -j KUBE-SEP-MPXWHJSGYP7ZOTSA
)");
}

TEST(IptablesRules, WithoutCommentsWhereThereAreManyEndpoints) {
  const std::string text = rules(web(), {kThere}, options(), false);
  EXPECT_NE(text.find("nat KUBE-SEP-MPXWHJSGYP7ZOTSA -s 10.0.0.2/32 -j KUBE-MARK-MASQ\n"
                      "nat KUBE-SEP-MPXWHJSGYP7ZOTSA -p tcp -m tcp -j DNAT --to-destination "
                      "10.0.0.2:8080\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("nat KUBE-SVC-67NZLRHBNDSAWJRO -j KUBE-SEP-MPXWHJSGYP7ZOTSA\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("shop/web:http cluster IP"), std::string::npos);
}

TEST(IptablesRules, ChancesAreWhatTheKernelKeepsOfThem) {
  std::vector<Endpoint> seven;
  for (int i = 1; i <= 7; ++i) seven.push_back(endpoint("10.0.0." + std::to_string(i)));
  const std::string text = rules(web(), seven);
  for (const char* chance : {"0.14285714272", "0.16666666651", "0.20000000019", "0.25000000000",
                             "0.33333333349", "0.50000000000"})
    EXPECT_NE(text.find(std::string("--probability ") + chance + " "), std::string::npos) << chance;
}

TEST(IptablesRules, OfEveryFrontFromOutside) {
  EXPECT_EQ(
      rules(exposed(), {kThere}),
      R"(nat KUBE-NODEPORTS -p udp -m comment --comment "shop/web:http" -m udp --dport 30080 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "shop/web:http cluster IP" -m udp --dport 80 -j KUBE-SVC-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment "shop/web:http loadbalancer IP" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 198.51.100.1/32 -p udp -m comment --comment "shop/web:http external IP" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-EXT-KX7MO73YLK2BGQGP -m comment --comment "masquerade traffic for shop/web:http external destinations" -j KUBE-MARK-MASQ
nat KUBE-EXT-KX7MO73YLK2BGQGP -j KUBE-SVC-KX7MO73YLK2BGQGP
nat KUBE-SEP-ATVSMCAWOZOKQEO5 -s 10.0.0.2/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-ATVSMCAWOZOKQEO5 -p udp -m comment --comment "shop/web:http" -m udp -j DNAT --to-destination 10.0.0.2:8080
nat KUBE-SVC-KX7MO73YLK2BGQGP ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m comment --comment "shop/web:http cluster IP" -m udp --dport 80 -j KUBE-MARK-MASQ
nat KUBE-SVC-KX7MO73YLK2BGQGP -m comment --comment "shop/web:http -> 10.0.0.2:8080" -j KUBE-SEP-ATVSMCAWOZOKQEO5
)");
}

TEST(IptablesRules, WithoutAnyEndpointEverythingIsRefused) {
  EXPECT_EQ(
      rules(exposed(), {}),
      R"(filter KUBE-EXTERNAL-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment "shop/web:http has no endpoints" -m udp --dport 80 -j REJECT --reject-with icmp-port-unreachable
filter KUBE-EXTERNAL-SERVICES -d 198.51.100.1/32 -p udp -m comment --comment "shop/web:http has no endpoints" -m udp --dport 80 -j REJECT --reject-with icmp-port-unreachable
filter KUBE-EXTERNAL-SERVICES -p udp -m comment --comment "shop/web:http has no endpoints" -m addrtype --dst-type LOCAL -m udp --dport 30080 -j REJECT --reject-with icmp-port-unreachable
filter KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "shop/web:http has no endpoints" -m udp --dport 80 -j REJECT --reject-with icmp-port-unreachable
)");
}

TEST(IptablesRules, PolicyLocalInside) {
  const std::string text = rules(inside_local(web()), {kHereToo, kThere});
  EXPECT_EQ(
      text,
      R"(nat KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVL-67NZLRHBNDSAWJRO
nat KUBE-SEP-K6FK65OJ4LD3PEV5 -s 10.0.0.10/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-K6FK65OJ4LD3PEV5 -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.0.0.10:8080
nat KUBE-SVL-67NZLRHBNDSAWJRO ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
nat KUBE-SVL-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.0.0.10:8080" -j KUBE-SEP-K6FK65OJ4LD3PEV5
)");
  EXPECT_EQ(
      rules(inside_local(web()), {kThere}),
      R"(filter KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http has no local endpoints" -m tcp --dport 80 -j DROP
)");
}

TEST(IptablesRules, PolicyLocalOutsideKeepsSourcesAndShortensTheWayOfWhatIsHere) {
  Service service = outside_local(exposed());
  service.health_check_node_port = 31000;
  EXPECT_EQ(
      rules(service, {kHereToo, kThere}),
      R"(filter KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http health check node port" -m tcp --dport 31000 -j ACCEPT
nat KUBE-NODEPORTS -p udp -m comment --comment "shop/web:http" -m udp --dport 30080 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "shop/web:http cluster IP" -m udp --dport 80 -j KUBE-SVC-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment "shop/web:http loadbalancer IP" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-SERVICES -d 198.51.100.1/32 -p udp -m comment --comment "shop/web:http external IP" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP
nat KUBE-EXT-KX7MO73YLK2BGQGP -s 10.244.0.0/16 -m comment --comment "pod traffic for shop/web:http external destinations" -j KUBE-SVC-KX7MO73YLK2BGQGP
nat KUBE-EXT-KX7MO73YLK2BGQGP -m comment --comment "masquerade LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
nat KUBE-EXT-KX7MO73YLK2BGQGP -m comment --comment "route LOCAL traffic for shop/web:http external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-KX7MO73YLK2BGQGP
nat KUBE-EXT-KX7MO73YLK2BGQGP -j KUBE-SVL-KX7MO73YLK2BGQGP
nat KUBE-SEP-ATVSMCAWOZOKQEO5 -s 10.0.0.2/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-ATVSMCAWOZOKQEO5 -p udp -m comment --comment "shop/web:http" -m udp -j DNAT --to-destination 10.0.0.2:8080
nat KUBE-SEP-BDYLBACUOHMXT4ZX -s 10.0.0.10/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ
nat KUBE-SEP-BDYLBACUOHMXT4ZX -p udp -m comment --comment "shop/web:http" -m udp -j DNAT --to-destination 10.0.0.10:8080
nat KUBE-SVC-KX7MO73YLK2BGQGP ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m comment --comment "shop/web:http cluster IP" -m udp --dport 80 -j KUBE-MARK-MASQ
nat KUBE-SVC-KX7MO73YLK2BGQGP -m comment --comment "shop/web:http -> 10.0.0.10:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-BDYLBACUOHMXT4ZX
nat KUBE-SVC-KX7MO73YLK2BGQGP -m comment --comment "shop/web:http -> 10.0.0.2:8080" -j KUBE-SEP-ATVSMCAWOZOKQEO5
nat KUBE-SVL-KX7MO73YLK2BGQGP -m comment --comment "shop/web:http -> 10.0.0.10:8080" -j KUBE-SEP-BDYLBACUOHMXT4ZX
)");
}

TEST(IptablesRules, PolicyLocalOutsideWithoutAnEndpointHereDropsWhatNobodyShortens) {
  const std::string text = rules(outside_local(exposed()), {kThere});
  for (const char* rule :
       {"filter KUBE-EXTERNAL-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment "
        "\"shop/web:http has no local endpoints\" -m udp --dport 80 -j DROP\n",
        "filter KUBE-EXTERNAL-SERVICES -p udp -m comment --comment \"shop/web:http has no local "
        "endpoints\" -m addrtype --dst-type LOCAL -m udp --dport 30080 -j DROP\n",
        "nat KUBE-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment \"shop/web:http "
        "loadbalancer IP\" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP\n"})
    EXPECT_NE(text.find(rule), std::string::npos) << text;
  EXPECT_EQ(text.find("KUBE-SVL-"), std::string::npos) << text;
}

TEST(IptablesRules, OfALoadBalancerThatNotEverybodyMayUse) {
  Service service = exposed();
  service.has_source_ranges = true;
  service.load_balancer_source_ranges = {prefix("192.0.2.0/24"), prefix("198.18.0.0/15")};
  const std::string text = rules(service, {kThere});
  // The node's own address is in a range, so the load balancer's may be a source, too.
  for (const char* rule :
       {"filter KUBE-PROXY-FIREWALL -d 203.0.113.1/32 -p udp -m comment --comment \"shop/web:http "
        "traffic not accepted by KUBE-FW-KX7MO73YLK2BGQGP\" -m udp --dport 80 -j DROP\n",
        "nat KUBE-SERVICES -d 203.0.113.1/32 -p udp -m comment --comment \"shop/web:http "
        "loadbalancer IP\" -m udp --dport 80 -j KUBE-FW-KX7MO73YLK2BGQGP\n",
        "nat KUBE-SERVICES -d 198.51.100.1/32 -p udp -m comment --comment \"shop/web:http external "
        "IP\" -m udp --dport 80 -j KUBE-EXT-KX7MO73YLK2BGQGP\n",
        "nat KUBE-FW-KX7MO73YLK2BGQGP -s 192.0.2.0/24 -m comment --comment \"shop/web:http "
        "loadbalancer IP\" -j KUBE-EXT-KX7MO73YLK2BGQGP\n"
        "nat KUBE-FW-KX7MO73YLK2BGQGP -s 198.18.0.0/15 -m comment --comment \"shop/web:http "
        "loadbalancer IP\" -j KUBE-EXT-KX7MO73YLK2BGQGP\n"
        "nat KUBE-FW-KX7MO73YLK2BGQGP -s 203.0.113.1/32 -m comment --comment \"shop/web:http "
        "loadbalancer IP\" -j KUBE-EXT-KX7MO73YLK2BGQGP\n"
        "nat KUBE-FW-KX7MO73YLK2BGQGP -m comment --comment \"other traffic to shop/web:http will "
        "be dropped by KUBE-PROXY-FIREWALL\"\n"})
    EXPECT_NE(text.find(rule), std::string::npos) << rule << text;
  // Who is refused anyhow needs no firewall.
  EXPECT_EQ(rules(service, {}).find("FIREWALL"), std::string::npos);
}

TEST(IptablesRules, AClientStaysWithTheEndpointOfItsLists) {
  const Service sticky =
      with(web(), [](Service& s) { s.client_affinity = std::chrono::seconds(600); });
  const std::string text = rules(sticky, {kHereToo, kThere});
  for (const char* rule :
       {"nat KUBE-SEP-K6FK65OJ4LD3PEV5 -p tcp -m comment --comment \"shop/web:http\" -m recent "
        "--set --name KUBE-SEP-K6FK65OJ4LD3PEV5 --mask 255.255.255.255 --rsource -m tcp -j DNAT "
        "--to-destination 10.0.0.10:8080\n",
        "-j KUBE-MARK-MASQ\nnat KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment \"shop/web:http -> "
        "10.0.0.10:8080\" -m recent --rcheck --seconds 600 --reap --name "
        "KUBE-SEP-K6FK65OJ4LD3PEV5 --mask 255.255.255.255 --rsource -j "
        "KUBE-SEP-K6FK65OJ4LD3PEV5\nnat KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "
        "\"shop/web:http -> 10.0.0.2:8080\" -m recent"})
    EXPECT_NE(text.find(rule), std::string::npos) << rule << text;
}

TEST(IptablesRules, HowPodsAreToldFromEverythingElse) {
  const auto masquerades = [](const LocalDetector& detector, bool all) {
    IptablesOptions some = options();
    some.rules.detector = detector;
    some.rules.masquerade_all = all;
    const std::string text = rules(web(), {kThere}, some);
    const auto end = text.find("-d 10.96.0.10/32 -p tcp", text.find("nat KUBE-SVC-"));
    if (end == std::string::npos) return std::string("none");
    const auto begin = text.rfind('\n', end) + 1;
    return text.substr(begin, end - begin);
  };
  const std::string chain = "nat KUBE-SVC-67NZLRHBNDSAWJRO ";
  EXPECT_EQ(masquerades({.bridge = "cni0"}, false), chain + "! -i cni0 ");
  EXPECT_EQ(masquerades({.link_prefix = "veth"}, false), chain + "! -i veth+ ");
  EXPECT_EQ(masquerades({.ranges = {prefix("fd00::/48")}}, false), "none");
  EXPECT_EQ(masquerades({.ranges = {prefix("10.244.0.0/16")}}, true), chain);
}

TEST(IptablesRules, OfIpv6) {
  const std::string text =
      rules(exposed(Family::kIpv6), {endpoint("fd00:244:2::10")}, options(Family::kIpv6));
  for (const char* part :
       {"-d fd00:96::a/128 -p udp", "--to-destination [fd00:244:2::10]:8080",
        "-s fd00:244:2::10/128 ", "-> [fd00:244:2::10]:8080", "! -s fd00:244::/32 -d"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(rules(exposed(Family::kIpv6), {}, options(Family::kIpv6))
                .find("--reject-with icmp6-port-unreachable"),
            std::string::npos);
}

TEST(IptablesRules, ANameFromAFileCannotTearALineApart) {
  Service service = web();
  service.name.name = "a\n-A INPUT -j DROP \"\\" + std::string(300, 'x');
  const std::string text = rules(service, {});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("--comment \"shop/a?-A INPUT -j DROP \\\"\\\\xxx"), std::string::npos)
      << text;
  EXPECT_LT(text.size(), 400U);
}

// --- what is there whichever services there are
// -------------------------------------------------

std::string frame(const IptablesOptions& options) {
  const IptablesContents contents = iptables_frame(options);
  std::string entrances;
  for (const auto& rule : node_port_entrances(options))
    entrances += "nat KUBE-SERVICES " + rule + "\n";
  return lines("filter", contents.filter) + lines("nat", contents.nat) + entrances;
}

constexpr const char* kLast =
    "-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this "
    "chain\"";

TEST(IptablesFrame, OfANode) {
  EXPECT_EQ(
      frame(options()),
      R"(filter KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
filter KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
filter KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
filter KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
nat KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
nat KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
nat KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
nat KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
nat KUBE-SERVICES )" +
          std::string(kLast) + " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n");
}

TEST(IptablesFrame, FollowsTheOptions) {
  IptablesOptions some = options();
  some.rules.masquerade_mark = 0x8000;
  some.localhost_node_ports = some.drop_invalid = some.random_fully = false;
  const std::string text = frame(some);
  EXPECT_EQ(text.find("INVALID"), std::string::npos) << text;
  EXPECT_EQ(text.find("--random-fully"), std::string::npos) << text;
  EXPECT_EQ(text.find("KUBE-FIREWALL"), std::string::npos) << text;
  EXPECT_NE(text.find("--set-xmark 0x8000/0x8000"), std::string::npos) << text;
  EXPECT_NE(text.find("! -d 127.0.0.0/8 " + std::string(kLast)), std::string::npos) << text;
}

TEST(IptablesFrame, NodePortsAtCertainAddresses) {
  IptablesOptions some = options();
  some.rules.node_port_addresses = {{ip("192.0.2.1"), ip("127.0.0.1"), ip("::1")}};
  EXPECT_EQ(
      node_port_entrances(some),
      (std::vector<std::string>{"-d 192.0.2.1/32 " + std::string(kLast) + " -j KUBE-NODEPORTS",
                                "-d 127.0.0.1/32 " + std::string(kLast) + " -j KUBE-NODEPORTS"}));
  some.rules.family = Family::kIpv6;
  EXPECT_EQ(node_port_entrances(some), std::vector<std::string>{});
  EXPECT_EQ(node_port_entrances(options(Family::kIpv6)),
            (std::vector<std::string>{"! -d ::1/128 " + std::string(kLast) +
                                      " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"}));
}

}  // namespace
}  // namespace weft::service
