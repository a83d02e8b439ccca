#include <map>

#include <gtest/gtest.h>

#include "matrix/name_verdict.h"
#include "matrix/pairs.h"
#include "matrix/service_verdict.h"
#include "matrix/table.h"
#include "matrix/verdict.h"
#include "matrix/walk.h"

namespace weft::matrix {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

Place node(const char* name, const char* address, const char* bridge) {
  return {.name = name,
          .kind = PlaceKind::kNode,
          .node = name,
          .netns = std::string("/run/netns/") + name,
          .addresses = {ip(address)},
          .own = {ip(address), ip(bridge)},
          .overlay_device = "flannel.1"};
}

Place pod(const char* name, const char* on, const char* address) {
  return {.name = name,
          .kind = PlaceKind::kPod,
          .node = on,
          .netns = std::string("/run/netns/") + name,
          .addresses = {ip(address)},
          .host_device = std::string("veth-") + name};
}

const Place kNode1 = node("node1", "172.31.0.11", "10.244.1.1");
const Place kNode2 = node("node2", "172.31.0.12", "10.244.2.1");
const Place kPod1 = pod("pod1", "node1", "10.244.1.2");
const Place kPod2 = pod("pod2", "node2", "10.244.2.2");
const Place kOutside = {.name = "outside",
                        .kind = PlaceKind::kOutside,
                        .netns = "/run/netns/outside",
                        .addresses = {ip("203.0.113.121")},
                        .own = {ip("203.0.113.121"), ip("198.18.0.2")}};

TEST(Pairs, CoverTheSixClasses) {
  const Place sibling = pod("pod1b", "node1", "10.244.1.3");
  const auto pairs = plan_pairs({kNode1, kNode2, kPod1, sibling, kPod2, kOutside});
  std::map<PathClass, int> counts;
  for (const auto& pair : pairs) ++counts[pair.path_class];
  EXPECT_EQ(counts[PathClass::kPodToPodSameNode], 2);
  EXPECT_EQ(counts[PathClass::kPodToPodOtherNode], 4);
  EXPECT_EQ(counts[PathClass::kPodToOwnNode], 3);
  EXPECT_EQ(counts[PathClass::kPodToOtherNode], 3);
  EXPECT_EQ(counts[PathClass::kNodeToPod], 6);
  EXPECT_EQ(counts[PathClass::kPodToOutside], 3);
}

TEST(Pairs, ProbeEachFamilyThatBothHave) {
  Place dual = kPod1;
  dual.addresses.push_back(ip("fd00::2"));
  EXPECT_EQ(plan_pairs({dual, kPod2}).size(), 2U) << "IPv4 both ways";
  Place other = kPod2;
  other.addresses.push_back(ip("fd00::3"));
  EXPECT_EQ(plan_pairs({dual, other}).size(), 4U);
}

struct Judged {
  const char* what;
  PathClass path_class;
  const Place* from;
  const Place* from_node;
  const char* seen;
  Mark mark;
  const char* reason;
};

TEST(Verdict, ChecksTheSourceThatTheTargetSaw) {
  const Judged cases[] = {
      {"plain", PathClass::kPodToPodOtherNode, &kPod1, &kNode1, "10.244.1.2", Mark::kFine, ""},
      {"masqueraded to the bridge", PathClass::kPodToPodOtherNode, &kPod1, &kNode1, "10.244.1.1",
       Mark::kWrong, "masqueraded inside the pod network"},
      {"rewritten to a stranger", PathClass::kPodToPodSameNode, &kPod1, &kNode1, "10.9.9.9",
       Mark::kWrong, "instead of the pod's 10.244.1.2: its source is rewritten on the way"},
      {"own node sees the pod", PathClass::kPodToOwnNode, &kPod1, &kNode1, "10.244.1.2",
       Mark::kFine, ""},
      {"other node, masqueraded", PathClass::kPodToOtherNode, &kPod1, &kNode1, "172.31.0.11",
       Mark::kFine, ""},
      {"other node, not masqueraded", PathClass::kPodToOtherNode, &kPod1, &kNode1, "10.244.1.2",
       Mark::kFine, ""},
      {"other node, a stranger", PathClass::kPodToOtherNode, &kPod1, &kNode1, "10.9.9.9",
       Mark::kWrong, "rewritten"},
      {"node to pod", PathClass::kNodeToPod, &kNode1, &kNode1, "10.244.1.1", Mark::kFine, ""},
      {"outside sees the node", PathClass::kPodToOutside, &kPod1, &kNode1, "172.31.0.11",
       Mark::kFine, ""},
      {"outside sees the pod", PathClass::kPodToOutside, &kPod1, &kNode1, "10.244.1.2",
       Mark::kWrong, "it is not masqueraded"},
      {"outside sees the bridge", PathClass::kPodToOutside, &kPod1, &kNode1, "10.244.1.1",
       Mark::kWrong, "instead of the node's 172.31.0.11"},
  };
  for (const auto& judged : cases) {
    const ProbeResult result{.sent = 3, .answered = 3, .source_seen = ip(judged.seen)};
    const Verdict verdict =
        judge(judged.path_class, *judged.from, *judged.from_node, ip("10.244.2.2"), result);
    EXPECT_EQ(verdict.mark, judged.mark) << judged.what << ": " << verdict.reason;
    EXPECT_NE(verdict.reason.find(judged.reason), std::string::npos)
        << judged.what << ": " << verdict.reason;
  }
}

Verdict judge_pods(const ProbeResult& result) {
  return judge(PathClass::kPodToPodOtherNode, kPod1, kNode1, ip("10.244.2.2"), result);
}

TEST(Verdict, TellsLossRefusalAndBlackHole) {
  EXPECT_EQ(judge_pods({.sent = 3, .answered = 0}).reason, "no answer");
  EXPECT_EQ(judge_pods({.sent = 3, .refusal = "Connection refused"}).reason, "Connection refused");
  const Verdict loss = judge_pods({.sent = 4, .answered = 3});
  EXPECT_EQ(loss.mark, Mark::kWarning);
  EXPECT_EQ(loss.reason, "25% of 4 probes lost");
  const Verdict hole = judge_pods({.sent = 1, .answered = 1, .mtu = 1350, .device_mtu = 1450});
  EXPECT_EQ(hole.mark, Mark::kWrong);
  EXPECT_EQ(hole.reason,
            "packets of 1450 bytes to 10.244.2.2 are lost without a word, 1350 bytes pass");
  EXPECT_EQ(judge_pods({.sent = 1, .answered = 1, .mtu = 1450, .device_mtu = 1450}).mark,
            Mark::kFine);
}

TEST(Verdict, ExitCodes) {
  EXPECT_EQ(exit_code({}), ExitCode::kUsage);
  EXPECT_EQ(exit_code({.fine = 2}), ExitCode::kFine);
  EXPECT_EQ(exit_code({.fine = 2, .warnings = 1}), ExitCode::kWarnings);
  EXPECT_EQ(exit_code({.fine = 2, .warnings = 1, .failed = 1}), ExitCode::kWrong);
}

std::vector<std::string> words(const std::vector<WalkPoint>& walk) {
  std::vector<std::string> result;
  for (const auto& point : walk) result.push_back((point.leaving ? "> " : "< ") + point.where);
  return result;
}

TEST(Walk, FromPodToPodOnAnotherNode) {
  EXPECT_EQ(words(plan_walk(kPod1, kNode1, kPod2, kNode2)),
            (std::vector<std::string>{"> eth0 of pod1", "< veth-pod1 on node1", "< cni0 on node1",
                                      "> flannel.1 on node1", "> eth0 on node1", "< eth0 on node2",
                                      "< flannel.1 on node2", "> cni0 on node2",
                                      "> veth-pod2 on node2", "< eth0 of pod2"}));
}

TEST(Walk, OfOtherClasses) {
  const Place sibling = pod("pod1b", "node1", "10.244.1.3");
  EXPECT_EQ(words(plan_walk(kPod1, kNode1, sibling, kNode1)),
            (std::vector<std::string>{"> eth0 of pod1", "< veth-pod1 on node1",
                                      "> veth-pod1b on node1", "< eth0 of pod1b"}));
  EXPECT_EQ(words(plan_walk(kPod1, kNode1, kOutside, kOutside)),
            (std::vector<std::string>{"> eth0 of pod1", "< veth-pod1 on node1", "< cni0 on node1",
                                      "> eth0 on node1", "< eth0 of outside"}));
}

std::vector<Seen> counted(const std::vector<WalkPoint>& walk, std::size_t reached) {
  std::vector<Seen> seen;
  for (std::size_t i = 0; i < walk.size(); ++i)
    seen.push_back({.point = walk[i], .packets = i < reached ? 20U : 1U});
  return seen;
}

TEST(Walk, NamesTheLastPlace) {
  const auto there = plan_walk(kPod1, kNode1, kPod2, kNode2);
  const auto back = plan_walk(kPod2, kNode2, kPod1, kNode1);
  const auto at = [&](std::size_t reached, std::size_t returned) {
    return last_seen(counted(there, reached), counted(back, returned), 20, "pod2");
  };
  EXPECT_EQ(at(0, 0), "never seen, not even leaving eth0 of pod1");
  EXPECT_EQ(at(4, 0), "last seen leaving flannel.1 on node1, not on eth0 on node1");
  EXPECT_EQ(at(5, 0), "last seen leaving eth0 on node1, not on eth0 on node2");
  EXPECT_EQ(at(10, 0), "it reached pod2, which did not answer");
  EXPECT_EQ(at(10, 3),
            "it reached pod2; the answer was last seen entering cni0 on node2, not on flannel.1 "
            "on node2");
  EXPECT_EQ(at(10, 10), "it reached pod2, and the answer came back and was not taken");
  auto dropping = counted(there, 3);
  dropping[3].dropped = 20;
  EXPECT_EQ(last_seen(dropping, counted(back, 0), 20, "pod2"),
            "last seen entering cni0 on node1, not on flannel.1 on node1, which dropped 20 "
            "packets");
}

Place web_service() {
  return {.name = "web",
          .kind = PlaceKind::kService,
          .fronts = {{FrontKind::kClusterAddress, ip("10.96.0.11"), 80},
                     {FrontKind::kNodePort, ip("172.31.0.11"), 30080},
                     {FrontKind::kNodePort, ip("172.31.0.12"), 30080},
                     {FrontKind::kExternalAddress, ip("198.51.100.80"), 80}},
          .endpoints = {"pod2", "pod3"}};
}

TEST(Pairs, CoverTheClassesOfAService) {
  Place second_outside = kOutside;
  second_outside.addresses = {ip("203.0.113.122")};
  const auto pairs = plan_pairs({kNode1, kPod1, kPod2, kOutside, second_outside, web_service()});
  std::map<PathClass, int> counts;
  for (const auto& pair : pairs)
    if (pair.front) ++counts[pair.path_class];
  EXPECT_EQ(counts, (std::map<PathClass, int>{{PathClass::kPodToClusterAddress, 1},
                                              {PathClass::kNodeToClusterAddress, 1},
                                              {PathClass::kPodToOwnService, 1},
                                              {PathClass::kOutsideToNodePort, 2},
                                              {PathClass::kOutsideToExternalAddress, 1}}))
      << "the outside host asks once, however many addresses it has";
}

struct ServiceCase {
  const char* what;
  const Place* from;
  const Place* from_node;
  std::vector<Answer> answers;
  void (*change)(Place&);
  Mark mark;
  const char* reason;
};

TEST(ServiceVerdict, ChecksWhoAnsweredAndWhomItSaw) {
  const auto as_is = [](Place&) {};
  const auto local = [](Place& service) { service.only_local = true; };
  const auto sticky = [](Place& service) { service.sticky = true; };
  const auto proxied = [](Place& service) { service.style = ProxyStyle::kProxied; };
  const Answer by_pod = {"pod2", ip("10.244.1.2"), 12};
  const Answer by_other = {"pod3", ip("10.244.1.2"), 12};
  const ServiceCase cases[] = {
      {"both answer", &kPod1, &kNode1, {by_pod, by_other}, as_is, Mark::kFine, ""},
      {"one answers all",
       &kPod1,
       &kNode1,
       {{"pod2", ip("10.244.1.2"), 24}},
       as_is,
       Mark::kWarning,
       "pod2 answered all 24 probes, of 2 endpoints"},
      {"a stranger answers",
       &kPod1,
       &kNode1,
       {{"pod9", ip("10.244.1.2"), 24}},
       as_is,
       Mark::kWrong,
       "no ready endpoint"},
      {"masqueraded",
       &kPod1,
       &kNode1,
       {{"pod2", ip("10.244.1.1"), 24}},
       as_is,
       Mark::kWrong,
       "masqueraded inside the pod network"},
      {"to itself, by the node",
       &kPod2,
       &kNode2,
       {{"pod2", ip("10.244.2.1"), 12}, {"pod3", ip("10.244.2.2"), 12}},
       as_is,
       Mark::kFine,
       ""},
      {"to itself, as itself",
       &kPod2,
       &kNode2,
       {{"pod2", ip("10.244.2.2"), 24}},
       as_is,
       Mark::kWrong,
       "instead of an address of node2"},
      {"from a node",
       &kNode1,
       &kNode1,
       {{"pod2", ip("10.244.1.1"), 12}, {"pod3", ip("172.31.0.11"), 12}},
       as_is,
       Mark::kFine,
       ""},
      {"from outside, by a node",
       &kOutside,
       &kOutside,
       {{"pod2", ip("172.31.0.11"), 12}, {"pod3", ip("10.244.1.1"), 12}},
       as_is,
       Mark::kFine,
       ""},
      {"from outside, as itself",
       &kOutside,
       &kOutside,
       {{"pod2", ip("203.0.113.121"), 24}},
       as_is,
       Mark::kWrong,
       "instead of a node's address"},
      {"local, as itself",
       &kOutside,
       &kOutside,
       {{"pod2", ip("198.18.0.2"), 24}},
       local,
       Mark::kFine,
       ""},
      {"local, by a node",
       &kOutside,
       &kOutside,
       {{"pod2", ip("172.31.0.11"), 24}},
       local,
       Mark::kWrong,
       "externalTrafficPolicy Local keeps"},
      {"sticky", &kPod1, &kNode1, {{"pod2", ip("10.244.1.2"), 24}}, sticky, Mark::kFine, ""},
      {"sticky and spread",
       &kPod1,
       &kNode1,
       {by_pod, by_other},
       sticky,
       Mark::kWrong,
       "in spite of sessionAffinity"},
      {"proxied",
       &kPod1,
       &kNode1,
       {{"pod2", ip("10.244.1.1"), 12}, {"pod3", ip("172.31.0.11"), 12}},
       proxied,
       Mark::kFine,
       ""},
      {"proxied, as itself",
       &kPod1,
       &kNode1,
       {by_pod},
       proxied,
       Mark::kWrong,
       "instead of an address of node1"},
  };
  const std::vector<IpAddress> nodes = {ip("172.31.0.11"), ip("10.244.1.1"), ip("172.31.0.12"),
                                        ip("10.244.2.1")};
  for (const auto& judged : cases) {
    Place service = web_service();
    judged.change(service);
    ProbeResult result{.protocol = Protocol::kTcp, .answers = judged.answers};
    for (const auto& answer : judged.answers) result.answered += answer.count;
    result.sent = result.answered;
    const Verdict verdict = judge_service(*judged.from, *judged.from_node, service, nodes, result);
    EXPECT_EQ(verdict.mark, judged.mark) << judged.what << ": " << verdict.reason;
    EXPECT_NE(verdict.reason.find(judged.reason), std::string::npos)
        << judged.what << ": " << verdict.reason;
  }
}

TEST(ServiceVerdict, TellsLossAndAServiceWithoutEndpoints) {
  Place service = web_service();
  const auto judged = [&](const ProbeResult& result) {
    return judge_service(kPod1, kNode1, service, {}, result);
  };
  EXPECT_EQ(judged({.sent = 3}).reason, "no answer");
  EXPECT_EQ(judged({.sent = 3, .refusal = "Connection refused"}).reason, "Connection refused");
  const Verdict some =
      judged({.sent = 4, .answered = 3, .answers = {{"pod2", ip("10.244.1.2"), 3}}});
  EXPECT_EQ(some.mark, Mark::kWarning);
  EXPECT_EQ(some.reason, "25% of 4 probes lost");
  service.endpoints.clear();
  const Verdict empty = judged({.sent = 3, .refusal = "Connection refused"});
  EXPECT_EQ(empty.mark, Mark::kWarning);
  EXPECT_EQ(empty.reason, "the service has no ready endpoint");
}

TEST(Table, ShowsWhoAnsweredForAService) {
  Report report{.places = {kPod1, web_service()}};
  const Pair pair{.path_class = PathClass::kPodToClusterAddress,
                  .from = 0,
                  .to = 1,
                  .target = ip("10.96.0.11"),
                  .front = 0};
  report.cells = {
      {.pair = pair,
       .result = {.protocol = Protocol::kTcp,
                  .sent = 24,
                  .answered = 24,
                  .rtt_us = 150,
                  .source_seen = ip("10.244.1.2"),
                  .answers = {{"pod2", ip("10.244.1.2"), 10}, {"pod3", ip("10.244.1.2"), 14}}}}};
  const std::string table = to_table(report, {});
  EXPECT_NE(table.find("pod1 > web 10.96.0.11:80"), std::string::npos) << table;
  EXPECT_NE(table.find("answered by pod2 10, pod3 14"), std::string::npos) << table;
  EXPECT_EQ(table.find("node port"), std::string::npos) << "nothing to say about it: " << table;
  const Json json = to_json(report);
  const Json* found = nullptr;
  for (const auto& path_class : json["classes"])
    if (path_class["class"] == "pod-to-cluster-address") found = &path_class["pairs"][0];
  ASSERT_NE(found, nullptr);
  EXPECT_EQ((*found)["port"], 80);
  EXPECT_EQ((*found)["answered_by"], (Json{{"pod2", 10}, {"pod3", 14}}));
}

Place asking(Place pod, const char* server) {
  pod.resolvers = {ip(server), ip("192.0.2.1")};
  return pod;
}

Place name(const char* text, PathClass path_class, std::vector<IpAddress> addresses,
           std::optional<IpAddress> server = {}) {
  return {.name = text,
          .kind = PlaceKind::kName,
          .addresses = std::move(addresses),
          .path_class = path_class,
          .server = server};
}

TEST(Pairs, APodAsksTheFirstOfItsServersForEachNameThatItKnows) {
  const std::vector<Place> places = {
      asking(kPod1, "10.96.0.10"), asking(kPod2, "203.0.113.121"), pod("deaf", "node1", "10.1.1.1"),
      name("web.shop", PathClass::kPodToClusterName, {ip("10.96.0.11"), ip("fd00::11")},
           ip("10.96.0.10")),
      name("www.example.com", PathClass::kPodToOutsideName, {ip("203.0.113.80")})};
  std::vector<std::string> asked;
  for (const auto& pair : plan_pairs(places))
    if (pair.asks)
      asked.push_back(places[pair.from].name + " " + pair.target.to_string() + " " +
                      places[pair.to].name + " " + std::string(to_string(*pair.asks)));
  EXPECT_EQ(asked, (std::vector<std::string>{"pod1 10.96.0.10 web.shop IPv4",
                                             "pod1 10.96.0.10 web.shop IPv6",
                                             "pod1 10.96.0.10 www.example.com IPv4",
                                             "pod2 203.0.113.121 www.example.com IPv4"}));
}

TEST(NameVerdict, ChecksWhatTheServerSays) {
  const Place web = name("web", PathClass::kPodToHeadlessName, {ip("10.1.1.2"), ip("10.1.1.3")});
  const Pair pair{.path_class = PathClass::kPodToHeadlessName,
                  .target = ip("10.96.0.10"),
                  .asks = Family::kIpv4};
  const auto verdict = [&](const ProbeResult& result) { return judge_name(pair, web, result); };
  const Answer first{.name = "10.1.1.2", .source = ip("10.1.1.2"), .count = 3};
  const Answer second{.name = "10.1.1.3", .source = ip("10.1.1.3"), .count = 3};
  EXPECT_EQ(verdict({.sent = 3, .answered = 3, .answers = {second, first}}).mark, Mark::kFine);
  EXPECT_EQ(verdict({.sent = 3, .answered = 3, .answers = {first}}).reason,
            "10.96.0.10 says 10.1.1.2 instead of 10.1.1.2, 10.1.1.3");
  EXPECT_EQ(verdict({.sent = 3, .answered = 2, .answers = {second, first}}).mark, Mark::kWarning);
  EXPECT_EQ(verdict({.sent = 3}).reason, "no answer from 10.96.0.10");
  EXPECT_EQ(verdict({.sent = 3, .refusal = "NXDOMAIN"}).reason, "NXDOMAIN from 10.96.0.10");
}

TEST(Table, ShowsWhatANameStandsFor) {
  Report report{
      .places = {kPod1, name("web.shop", PathClass::kPodToClusterName, {ip("10.96.0.11")})}};
  report.cells = {{.pair = {.path_class = PathClass::kPodToClusterName,
                            .from = 0,
                            .to = 1,
                            .target = ip("10.96.0.10"),
                            .asks = Family::kIpv4},
                   .result = {.protocol = Protocol::kUdp,
                              .sent = 3,
                              .answered = 3,
                              .rtt_us = 150,
                              .answers = {{"10.96.0.11", ip("10.96.0.11"), 3}}}}};
  const std::string table = to_table(report, {});
  EXPECT_NE(table.find("pod1 > web.shop @10.96.0.10  udp 0.15 ms   is 10.96.0.11"),
            std::string::npos)
      << table;
  const Json names =
      to_json(report)["classes"][static_cast<std::size_t>(PathClass::kPodToClusterName)]["pairs"];
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0]["addresses"], Json::array({"10.96.0.11"}));
}

Report small_report() {
  Report report{.places = {kPod1, kPod2}};
  const Pair pair{
      .path_class = PathClass::kPodToPodOtherNode, .from = 0, .to = 1, .target = ip("10.244.2.2")};
  report.cells = {
      {.pair = pair, .result = {.sent = 1, .answered = 1, .rtt_us = 120, .hops = 2, .mtu = 1450}},
      {.pair = pair,
       .result = {.protocol = Protocol::kTcp, .sent = 1},
       .verdict = {.mark = Mark::kWrong, .reason = "no answer"}},
  };
  return report;
}

TEST(Table, ShowsARowAPairAndTheReasonsBelow) {
  const std::string table = to_table(small_report(), {});
  EXPECT_NE(table.find("x pod to pod, other node: 1 of 2\n"
                       "  x pod1 > pod2 10.244.2.2  icmp 0.12 ms   tcp fails     hops 2  mtu 1450"
                       "  seen as -\n"
                       "    x tcp: no answer\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("- pod to the outside: no such pair\n"), std::string::npos);
  EXPECT_NE(table.find("x 1 fine, 0 warnings, 1 failed\n"), std::string::npos);
}

TEST(Table, AsJson) {
  const Json json = to_json(small_report());
  EXPECT_EQ(json["ok"], 1);
  EXPECT_EQ(json["failed"], 1);
  ASSERT_EQ(json["classes"].size(), 14U);
  EXPECT_EQ(json["classes"][1]["class"], "pod-to-pod-other-node");
  const Json& pair = json["classes"][1]["pairs"][0];
  EXPECT_EQ(pair["from"], "pod1");
  EXPECT_EQ(pair["to"], "pod2");
  EXPECT_EQ(pair["protocol"], "icmp");
  EXPECT_EQ(pair["ok"], true);
  EXPECT_EQ(pair["rtt_us"], 120);
  EXPECT_EQ(pair["hops"], 2);
  EXPECT_TRUE(pair["source_seen"].is_null());
  EXPECT_EQ(json["classes"][1]["pairs"][1]["reason"], "no answer");
}

}  // namespace
}  // namespace weft::matrix
