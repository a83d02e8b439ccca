// What becomes of real packets to services: the same in every mode of the proxy and both families.
#include <gtest/gtest.h>

#include "service/iptables_mode.h"
#include "service/nftables_mode.h"
#include "support/eventually.h"
#include "support/service_node.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::hears_nothing;
using weft::test::must;
using weft::test::ServiceLab;

enum class ModeKind { kNftables, kIptablesNft, kIptablesLegacy };

std::unique_ptr<ProxyMode> open_kind(ModeKind kind, const RuleOptions& options) {
  if (kind == ModeKind::kNftables)
    return std::make_unique<NftablesMode>(must(NftablesMode::open({options})));
  const IptablesSettings settings{.flavour = kind == ModeKind::kIptablesNft ? "nft" : "legacy"};
  return std::make_unique<IptablesMode>(must(IptablesMode::open({options}, settings)));
}

struct Setting {
  ModeKind mode;
  Family family;
};
std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const ModeKind mode :
       {ModeKind::kNftables, ModeKind::kIptablesNft, ModeKind::kIptablesLegacy})
    for (const Family family : {Family::kIpv4, Family::kIpv6}) all.push_back({mode, family});
  return all;
}
std::string name_of(const Setting& setting) {
  constexpr const char* kNames[] = {"Nftables", "IptablesNft", "IptablesLegacy"};
  return std::string(kNames[static_cast<int>(setting.mode)]) +
         (setting.family == Family::kIpv4 ? "Ipv4" : "Ipv6");
}

class InAMode {
 protected:
  explicit InAMode(const Setting& setting)
      : setting_(setting), lab_(setting.family), node_(start(rule_options(setting.family))) {}

  ServiceNode start(const RuleOptions& options) {
    return lab_.node.in(
        [&] { return ServiceNode(lab_.node, open_kind(setting_.mode, options), setting_.family); });
  }
  Family family() const { return setting_.family; }
  IpAddress cluster_ip() const { return VerdictAddresses::of(family()).cluster; }
  Endpoint here() const { return endpoint(lab_.pod(1, 10).to_string(), "here"); }
  Endpoint here_too() const { return endpoint(lab_.pod(1, 11).to_string(), "here"); }
  Endpoint there() const { return endpoint(lab_.pod(2, 10).to_string()); }
  Service sticky(int seconds = 60) const {
    return with(exposed(family()),
                [&](Service& s) { s.client_affinity = std::chrono::seconds(seconds); });
  }

  const Setting setting_;
  ServiceLab lab_;
  ServiceNode node_;
};

// --- verdicts
// -------------------------------------------------------------------------------------

using VerdictParam = std::tuple<Setting, std::size_t>;

class VerdictInAMode : public testing::TestWithParam<VerdictParam>, public InAMode {
 protected:
  VerdictInAMode() : InAMode(std::get<0>(GetParam())) {}

  // What a node itself sends to an address from outside that has no endpoint meets no refusal in
  // kube-proxy's chains, and so not in ours: it leaves, and whoever has the address answers.
  bool leaves_by_itself(const Front& front, const std::string& word) const {
    return setting_.mode != ModeKind::kNftables && word == "reject" &&
           (front.kind == FrontKind::kLoadBalancer || front.kind == FrontKind::kExternalIp);
  }
};

TEST_P(VerdictInAMode, IsWhatTheRulesSay) {
  const VerdictCase verdict = verdict_cases(family())[std::get<1>(GetParam())];
  node_.put(verdict.service, verdict.endpoints);
  const PortPlan port = node_.planned(verdict.service, verdict.endpoints).ports.at(0);
  for (const Front& front : port.fronts) {
    const auto word =
        split(front.kind == FrontKind::kClusterIp ? verdict.inside : verdict.outside, ' ');
    const IpAddress address =
        front.kind == FrontKind::kNodePort ? lab_.uplink(2, 1) : front.address;
    SCOPED_TRACE(address.to_string());
    const auto check = [&](std::size_t place, const Origin& from) {
      expect_verdict(lab_, word.at(place), from, address, front.port, port);
    };
    check(0, {lab_.pod_client, lab_.pod(1, 20)});
    if (!leaves_by_itself(front, word.at(1))) check(1, {lab_.node, lab_.uplink(2, 1)});
    check(2, {lab_.client, lab_.uplink(2, 9)});
  }
}

std::vector<VerdictParam> verdict_params() {
  std::vector<VerdictParam> params;
  for (const Setting& setting : settings())
    for (std::size_t i = 0; i < verdict_cases(setting.family).size(); ++i)
      params.emplace_back(setting, i);
  return params;
}

std::string verdict_name(const testing::TestParamInfo<VerdictParam>& each) {
  const auto& [setting, index] = each.param;
  return name_of(setting) + "_" + verdict_cases(setting.family)[index].name;
}

INSTANTIATE_TEST_SUITE_P(Service, VerdictInAMode, testing::ValuesIn(verdict_params()),
                         verdict_name);

// --- all else
// -------------------------------------------------------------------------------------

class ServiceInAMode : public testing::TestWithParam<Setting>, public InAMode {
 protected:
  ServiceInAMode() : InAMode(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Service, ServiceInAMode, testing::ValuesIn(settings()),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(ServiceInAMode, ConnectionsAreSpreadOverAllEndpoints) {
  node_.put(inner(family()), {here(), here_too(), there()});
  const auto counts = answers(lab_.pod_client, cluster_ip(), 80, 300);
  ASSERT_EQ(counts.size(), 3U);
  for (const auto& [name, count] : counts) EXPECT_GT(count, 60) << name;
}

TEST_P(ServiceInAMode, EndpointsComeAndGo) {
  using Counts = std::map<std::string, int>;
  node_.put(inner(family()), {here()});
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 20), (Counts{{"here", 20}}));
  node_.put(inner(family()), {here(), there()});
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 60).size(), 2U);
  node_.put(inner(family()), {there()});
  EXPECT_EQ(answers(lab_.pod_client, cluster_ip(), 80, 20), (Counts{{"there", 20}}));
  node_.remove(web().name);
  EXPECT_TRUE(hears_nothing(lab_.pod_client, cluster_ip(), 80));
}

TEST_P(ServiceInAMode, APodThatIsItsOwnBackendHearsFromTheNode) {
  node_.put(inner(family()), {here()});
  EXPECT_EQ(ask(lab_.here, cluster_ip(), 80), "here " + lab_.pod(1, 1).to_string());
  // Another pod's traffic to it keeps its source.
  EXPECT_EQ(ask(lab_.here_too, cluster_ip(), 80), "here " + lab_.pod(1, 11).to_string());
}

TEST_P(ServiceInAMode, OnlyAllowedSourcesReachTheLoadBalancersAddress) {
  Service service = exposed(family());
  service.has_source_ranges = true;
  service.load_balancer_source_ranges = {Prefix::host(lab_.uplink(2, 9))};
  const IpAddress address = service.load_balancer_ips[0];
  node_.put(service, {here()});
  EXPECT_EQ(ask(lab_.client, address, 80).substr(0, 4), "here");
  EXPECT_TRUE(hears_nothing(lab_.other, address, 80));
  EXPECT_EQ(ask(lab_.other, service.external_ips[0], 80).substr(0, 4), "here");
  node_.put(service, {});
  EXPECT_EQ(ask(lab_.client, address, 80), "refused");
  service = outside_local(service);
  node_.put(service, {here()});
  EXPECT_EQ(ask(lab_.client, address, 80), "here " + lab_.uplink(2, 9).to_string());
  EXPECT_TRUE(hears_nothing(lab_.other, address, 80));
}

TEST_P(ServiceInAMode, NodePortsAreServedAtTheAddressesThatAreAskedFor) {
  node_.put(exposed(family()), {here()});
  RuleOptions some = rule_options(family());
  some.node_port_addresses = {{lab_.uplink(3, 1)}};
  lab_.node.in([&] { must(node_.mode().set_options({some})); });
  EXPECT_EQ(node_.repair(), std::vector<std::string>{});
  EXPECT_EQ(ask(lab_.client, lab_.uplink(3, 1), kNodePort).substr(0, 4), "here");
  EXPECT_EQ(ask(lab_.client, lab_.uplink(2, 1), kNodePort), "refused");
}

TEST_P(ServiceInAMode, AClientStaysWithItsEndpointAtEveryFront) {
  const Service service = sticky();
  node_.put(service, {here(), here_too(), there()});
  const auto first = answers(lab_.client, cluster_ip(), 80, 20);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(answers(lab_.client, service.external_ips[0], 80, 20), first);
  EXPECT_EQ(answers(lab_.client, service.load_balancer_ips[0], 80, 20), first);
  EXPECT_EQ(answers(lab_.client, lab_.uplink(2, 1), kNodePort, 20), first);
  // Without affinity at once, and again with it.
  node_.put(exposed(family()), {here(), here_too(), there()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 100).size(), 3U);
  node_.put(service, {here(), here_too(), there()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 20).size(), 1U);
}

TEST_P(ServiceInAMode, AClientLeavesAnEndpointThatIsGone) {
  node_.put(sticky(), {here(), there()});
  const auto first = answers(lab_.client, cluster_ip(), 80, 10);
  ASSERT_EQ(first.size(), 1U);
  const bool was_here = first.contains("here");
  node_.put(sticky(), {was_here ? there() : here()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 10),
            (std::map<std::string, int>{{was_here ? "there" : "here", 10}}));
}

TEST_P(ServiceInAMode, AnAffinityEndsAfterItsTime) {
  node_.put(sticky(1), {here(), here_too(), there()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 20).size(), 1U);
  // With a pause each time that is longer than the affinity, the choice is free again.
  std::set<std::string> seen;
  for (int i = 0; i < 30 && seen.size() < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    seen.insert(answers(lab_.client, cluster_ip(), 80, 1).begin()->first);
  }
  EXPECT_GE(seen.size(), 2U);
}

TEST_P(ServiceInAMode, WithAffinityLocalTrafficStaysLocal) {
  const Service service = outside_local(sticky());
  node_.put(service, {here(), there()});
  EXPECT_EQ(answers(lab_.client, service.external_ips[0], 80, 20),
            (std::map<std::string, int>{{"here", 20}}));
  EXPECT_EQ(answers(lab_.client, lab_.uplink(2, 1), kNodePort, 20),
            (std::map<std::string, int>{{"here", 20}}));
  EXPECT_EQ(ask(lab_.client, service.external_ips[0], 80), "here " + lab_.uplink(2, 9).to_string());
}

TEST_P(ServiceInAMode, TheOlderServiceKeepsAnAddressThatTwoAskFor) {
  Service older = exposed(family());
  older.created = UnixSeconds(std::chrono::seconds(1));
  Service younger = exposed(family());
  younger.name.name = "younger";
  younger.created = UnixSeconds(std::chrono::seconds(2));
  younger.cluster_ips = {cluster_ip().plus(7).value()};
  node_.put(younger, {there()});
  EXPECT_EQ(ask(lab_.client, older.external_ips[0], 80).substr(0, 5), "there");
  node_.put(older, {here()});
  EXPECT_EQ(ask(lab_.client, older.external_ips[0], 80).substr(0, 4), "here");
  EXPECT_EQ(ask(lab_.client, younger.cluster_ips[0], 80).substr(0, 5), "there");
  node_.remove(older.name);
  EXPECT_EQ(ask(lab_.client, older.external_ips[0], 80).substr(0, 5), "there");
}

}  // namespace
}  // namespace weft::service
