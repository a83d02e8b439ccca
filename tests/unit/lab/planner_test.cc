#include "lab/planner.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "lab/lab_json.h"
#include "lab/layout.h"
#include "lab/names.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

Lab planned(const LabFile& file, const Manifests& manifests = {}) {
  const auto lab = plan_lab("lab", file, manifests);
  EXPECT_TRUE(lab) << lab.error().text();
  return lab.value_or(Lab{});
}

// A v1 Service of namespace "default" with a spec in YAML.
Json service(const std::string& name, const std::string& spec) {
  const auto documents = parse_yaml("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                                    "}\nspec: {" + spec + "}");
  EXPECT_TRUE(documents) << spec;
  return documents->front();
}

std::string reason(const Result<Lab>& lab) {
  return lab ? "" : lab.error().text();
}

Node node_at(const char* name, const char* address, const char* gateway) {
  return *parse_node(name, {address}, {gateway}, std::nullopt);
}

const Cable* cable_to(const Layout& layout, const std::string& space, const std::string& device) {
  for (const auto& cable : layout.cables)
    for (const auto* end : {&cable.a, &cable.b})
      if (end->space == space && end->device == device) return &cable;
  return nullptr;
}

TEST(Planner, FillsInTheDefaultLab) {
  const Lab lab = planned({});
  ASSERT_EQ(lab.nodes.size(), 3U);
  EXPECT_EQ(lab.nodes[2].name, "node3");
  EXPECT_EQ(lab.nodes[2].addresses.at(0).to_string(), "172.31.0.13/24");
  EXPECT_EQ(lab.nodes[2].gateways.at(0).to_string(), "172.31.0.1");
  ASSERT_EQ(lab.pods.size(), 6U);
  EXPECT_EQ(lab.pods[1].name, "node1-pod2");
  EXPECT_EQ(lab.pods[1].node, "node1");
  EXPECT_EQ(lab.outside.at(0).to_string(), "203.0.113.121");
  EXPECT_EQ(lab.segments.size(), 1U);
}

TEST(Planner, GivesIpv6WhenTheOverlayHasIt) {
  LabFile file;
  file.overlay = R"({"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:244::/56"})";
  const Lab lab = planned(file);
  ASSERT_EQ(lab.nodes[0].addresses.size(), 2U);
  EXPECT_EQ(lab.nodes[0].addresses[1].to_string(), "fd00:31::b/64");
  EXPECT_EQ(lab.outside.size(), 2U);
  EXPECT_EQ(lab.segments.size(), 1U) << "both families share the wire";
}

TEST(Planner, SpreadsPodsWithoutANode) {
  LabFile file;
  file.node_count = 2;
  const Lab lab = planned(file, {.pods = {{.name = "a"}, {.name = "b"}, {.name = "c"}}});
  ASSERT_EQ(lab.pods.size(), 3U) << "with manifests there are no pods beside theirs";
  EXPECT_EQ(lab.pods[0].node, "node1");
  EXPECT_EQ(lab.pods[1].node, "node2");
  EXPECT_EQ(lab.pods[2].node, "node1");
}

TEST(Planner, RefusesWhatCannotBe) {
  EXPECT_NE(reason(plan_lab("my-lab", {}, {})).find("cannot be a lab's name"), std::string::npos);
  LabFile twice;
  twice.nodes = {Node{.name = "a"}, Node{.name = "a"}};
  EXPECT_NE(reason(plan_lab("lab", twice, {})).find("a is there twice"), std::string::npos);
  LabFile same_address;
  same_address.nodes = {node_at("a", "10.0.0.2/24", "10.0.0.1"),
                        node_at("b", "10.0.0.2/24", "10.0.0.1")};
  EXPECT_NE(reason(plan_lab("lab", same_address, {})).find("10.0.0.2 is there twice"),
            std::string::npos);
  LabFile far_gateway;
  far_gateway.nodes = {node_at("a", "10.0.0.2/24", "10.9.0.1")};
  EXPECT_NE(reason(plan_lab("lab", far_gateway, {})).find("in none of its networks"),
            std::string::npos);
  EXPECT_NE(
      reason(plan_lab("lab", {}, {.pods = {Pod{.name = "p", .node = "nod1"}}})).find("node1?"),
      std::string::npos);
  EXPECT_NE(reason(plan_lab("lab", {}, {.pods = {Pod{.name = "node1"}}})).find("there twice"),
            std::string::npos);
}

TEST(Planner, AddsAndRemoves) {
  const Lab lab = planned({});
  const auto more = with_node(lab, Node{}, 1);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->nodes.back().name, "node4");
  EXPECT_EQ(more->nodes.back().addresses.at(0).to_string(), "172.31.0.14/24");
  EXPECT_EQ(more->pods.back().name, "node4-pod1");
  const auto less = without_node(*more, "node2");
  ASSERT_TRUE(less);
  EXPECT_EQ(less->node("node2"), nullptr);
  EXPECT_EQ(less->pods.size(), 5U);
  const auto pod = with_pod(*less, Pod{});
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->pods.back().node, "node4") << "the node with the fewest pods";
  EXPECT_NE(reason(without_pod(lab, "node1-pod")).find("did you mean"), std::string::npos);
  LabFile one;
  one.node_count = 1;
  EXPECT_NE(reason(without_node(planned(one), "node1")).find("the last node"), std::string::npos);
}

TEST(LabJson, GivesBackWhatWasWritten) {
  LabFile file;
  file.store = StoreKind::kEtcd;
  file.ip_masq = false;
  file.sysctls = {{"net/ipv4/conf/all/rp_filter", "1"}};
  file.nodes = {node_at("a", "10.0.0.2/24", "10.0.0.1"), node_at("b", "10.1.0.2/24", "10.1.0.1")};
  file.nodes[0].subnet = Prefix::parse("10.244.7.0/24");
  const Lab lab = planned(
      file, {.pods = {{.name = "p",
                       .space = "shop",
                       .labels = {{"app", "x"}},
                       .command = {"sleep", "1"},
                       .environment = {{"A", "1"}},
                       .ports = {{.name = "dns", .protocol = ServiceProtocol::kUdp, .port = 53}},
                       .address = IpAddress::parse("10.244.7.9")}},
             .services = {service("dns", "ports: [{port: 53, protocol: UDP}]")}});
  const auto back = parse_lab(to_json(lab));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, lab);
  EXPECT_FALSE(parse_lab("[]"));
  EXPECT_FALSE(parse_lab(R"({"nodes":[{"addresses":["x"]}]})"));
}

TEST(Names, KeepLabsApart) {
  EXPECT_FALSE(check_lab_name("a-b")) << "weft-a-b-node could be a node of a or of a-b";
  EXPECT_FALSE(check_lab_name(""));
  EXPECT_FALSE(check_lab_name("../x"));
  EXPECT_FALSE(check_node_name("gw0"));
  EXPECT_TRUE(check_node_name("gw"));
  EXPECT_EQ(netns_path("lab", "node1"), "/run/netns/weft-lab-node1");
}

TEST(Layout, PutsARouterBetweenSegments) {
  LabFile file;
  file.nodes = {node_at("master", "10.192.214.204/19", "10.192.223.253"),
                node_at("worker", "10.78.180.28/20", "10.78.191.254")};
  const Lab lab = planned(file);
  const Layout layout = plan_layout(lab);
  EXPECT_EQ(layout.bridges.size(), 2U);
  const Cable* uplink = cable_to(layout, "worker", "eth0");
  ASSERT_NE(uplink, nullptr);
  EXPECT_EQ(uplink->b.bridge, "seg1");
  const Cable* leg = cable_to(layout, kRouter, "gw1");
  ASSERT_NE(leg, nullptr);
  EXPECT_EQ(leg->a.addresses.at(0).to_string(), "10.78.191.254/20");
}

TEST(Layout, TheOutsideHostKnowsTheSegmentsAndNothingElse) {
  const Layout layout = plan_layout(planned({}));
  std::vector<std::string> ways;
  for (const auto& route : layout.routes)
    if (route.space == kOutside) ways.push_back(route.destination.to_string());
  EXPECT_EQ(ways, std::vector<std::string>{"172.31.0.0/24"});
}

TEST(Layout, AnOutsideAddressInASegmentIsAHostOfTheLan) {
  LabFile file;
  file.nodes = {node_at("meng", "10.20.180.12/23", "10.20.180.1")};
  file.outside = {*IpAddress::parse("10.20.180.61"), *IpAddress::parse("203.0.113.121")};
  const Layout layout = plan_layout(planned(file));
  const Cable* lan = cable_to(layout, kOutside, "lan0");
  ASSERT_NE(lan, nullptr);
  EXPECT_EQ(lan->a.addresses.at(0).to_string(), "10.20.180.61/23");
  EXPECT_EQ(lan->b.bridge, "seg0");
}

// Device numbers count up from 2 in every namespace, in the order in which devices are made.
TEST(Layout, NoCableHasOneNumberAtBothEnds) {
  LabFile file;
  file.nodes = {node_at("a", "10.0.0.2/24", "10.0.0.1"), node_at("b", "10.1.0.2/24", "10.1.0.1"),
                node_at("c", "10.2.0.2/24", "10.2.0.1")};
  for (std::size_t count = 1; count <= 3; ++count) {
    LabFile part = file;
    part.nodes.resize(count);
    part.outside = {*IpAddress::parse("10.0.0.9"), *IpAddress::parse("203.0.113.121")};
    const Layout layout = plan_layout(planned(part));
    std::map<std::string, int> last;
    for (const auto& bridge : layout.bridges) ++last[bridge.space];
    for (const auto& cable : layout.cables)
      EXPECT_NE(++last[cable.a.space], ++last[cable.b.space])
          << cable.a.device << " of " << cable.a.space << ", " << count << " segments";
  }
}

TEST(Layout, ASegmentKeepsItsNameWhenAnotherOneEmpties) {
  LabFile file;
  file.nodes = {node_at("a", "10.0.0.2/24", "10.0.0.1"), node_at("b", "10.1.0.2/24", "10.1.0.1")};
  const auto lab = without_node(planned(file), "a");
  ASSERT_TRUE(lab);
  EXPECT_EQ(cable_to(plan_layout(*lab), "b", "eth0")->b.bridge, "seg1");
}

Json spec_of(const Lab& lab, std::size_t index) {
  return lab.services.manifests.at(index).at("spec");
}

TEST(Services, GetWhatTheyDoNotAskFor) {
  const Lab lab = planned(
      {}, {.services = {service("a", "ports: [{port: 80}]"),
                        service("b", "clusterIP: 10.96.0.11, ports: [{port: 80}]"),
                        service("c", "type: NodePort, ports: [{port: 80}, {name: s, port: 443}]"),
                        service("d", "type: NodePort, ports: [{port: 1, nodePort: 30000}]"),
                        service("e", "clusterIP: None, ports: [{port: 80}]"),
                        service("f", "type: ExternalName, externalName: example.org")}});
  EXPECT_EQ(lab.services.subnets, (std::vector<Prefix>{*Prefix::parse("10.96.0.0/12")}));
  EXPECT_EQ(spec_of(lab, 0)["clusterIP"], "10.96.0.12") << "what is asked for goes first";
  EXPECT_EQ(spec_of(lab, 1)["clusterIPs"], Json::array({"10.96.0.11"}));
  EXPECT_EQ(spec_of(lab, 2)["ports"][0]["nodePort"], 30001);
  EXPECT_EQ(spec_of(lab, 2)["ports"][1]["nodePort"], 30002);
  EXPECT_EQ(spec_of(lab, 3)["ports"][0]["nodePort"], 30000);
  EXPECT_EQ(spec_of(lab, 4)["clusterIP"], "None");
  EXPECT_FALSE(spec_of(lab, 5).contains("clusterIP"));
  EXPECT_EQ(lab.services.manifests[0]["metadata"]["namespace"], "default");
}

TEST(Services, HaveTheFamiliesOfTheirPolicy) {
  LabFile file;
  file.overlay = R"({"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:244::/56"})";
  const Lab lab = planned(
      file,
      {.services = {service("single", "ports: [{port: 80}]"),
                    service("six", "ipFamilies: [IPv6], ports: [{port: 80}]"),
                    service("dual", "ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]")}});
  EXPECT_EQ(spec_of(lab, 0)["ipFamilies"], Json::array({"IPv4"}));
  EXPECT_EQ(spec_of(lab, 1)["clusterIPs"], Json::array({"fd00:10:96::b"}));
  EXPECT_EQ(spec_of(lab, 2)["clusterIPs"], Json::array({"10.96.0.12", "fd00:10:96::c"}));
}

TEST(Services, RefuseWhatCannotBe) {
  struct Case {
    std::vector<Json> services;
    const char* reason;
  };
  const std::string ports = "ports: [{port: 80}]";
  const Case cases[] = {
      {{service("a", ports), service("a", ports)}, "default/a is there twice"},
      {{service("a", "clusterIP: 10.96.0.9, " + ports),
        service("b", "clusterIP: 10.96.0.9, " + ports)},
       "10.96.0.9 is taken"},
      {{service("a", "clusterIP: 10.1.0.9, " + ports)}, "in no subnet of services"},
      {{service("a", "type: NodePort, ports: [{port: 80, nodePort: 80}]")}, "30000-32767"},
      {{service("a", "type: NodePort, ports: [{port: 80, nodePort: 30001}]"),
        service("b", "type: NodePort, ports: [{port: 80, nodePort: 30001}]")},
       "30001 is taken"},
      {{service("a", "ipFamilies: [IPv6], " + ports)}, "no IPv6 subnet"},
      {{service("a", "ipFamilyPolicy: RequireDualStack, " + ports)}, "no IPv6 subnet"},
      {{service("a", "ipFamilies: [IPv5], " + ports)}, "\"IPv5\" is no family"},
  };
  for (const auto& refused : cases) {
    const std::string why = reason(plan_lab("lab", {}, {.services = refused.services}));
    EXPECT_NE(why.find(refused.reason), std::string::npos) << why;
  }
  LabFile small;
  small.service_subnets = {*Prefix::parse("10.96.0.0/28")};
  std::vector<Json> many;
  for (int i = 0; i < 6; ++i) many.push_back(service("s" + std::to_string(i), ports));
  EXPECT_NE(reason(plan_lab("lab", small, {.services = many})).find("no address is free"),
            std::string::npos);
  LabFile overlapping;
  overlapping.service_subnets = {*Prefix::parse("172.31.0.0/16")};
  EXPECT_NE(reason(plan_lab("lab", overlapping, {.services = {service("a", ports)}}))
                .find("overlaps 172.31.0.0/24, the network of node1"),
            std::string::npos);
}

TEST(Layout, LeadsExternalAddressesToANodeWithAnEndpoint) {
  const Lab lab =
      planned({}, {.pods = {{.name = "web", .node = "node2", .labels = {{"app", "web"}}}},
                   .services = {service("web",
                                        "selector: {app: web}, externalIPs: [198.51.100.80], "
                                        "ports: [{port: 80}]")}});
  const auto routes = plan_layout(lab).routes;
  const auto has = [&](const char* space, const char* via) {
    return std::count(
        routes.begin(), routes.end(),
        StaticRoute{space, *Prefix::parse("198.51.100.80/32"), *IpAddress::parse(via)});
  };
  EXPECT_EQ(has(kRouter, "172.31.0.12"), 1) << "the node of its endpoint";
  EXPECT_EQ(has(kOutside, "198.18.0.1"), 1);
}

}  // namespace
}  // namespace weft::lab
