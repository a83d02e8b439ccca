#include "cluster/resolv_conf.h"

#include <gtest/gtest.h>

#include "support/must.h"

namespace weft {
namespace {

using weft::test::must;

const ResolvConf kHost = {.servers = {"192.0.2.53", "192.0.2.54"},
                          .searches = {"corp.example", "example"},
                          .options = {"timeout:2", "rotate"}};

NodeDns node() {
  return {.cluster_dns = {*IpAddress::parse("10.96.0.10")},
          .cluster_domain = "cluster.local",
          .host = kHost,
          .families = {Family::kIpv4, Family::kIpv6}};
}

// The file on one line, and the warnings behind it.
std::string composed(const PodDns& pod, const NodeDns& on) {
  const PodResolvConf result = resolv_conf_of(pod, on);
  std::string text = print_resolv_conf(result.file);
  for (char& c : text)
    if (c == '\n') c = '|';
  for (const auto& warning : result.warnings) text += " (" + warning + ")";
  return text;
}

const std::string kClusterSearch =
    "search lg.svc.cluster.local svc.cluster.local cluster.local corp.example example|";
const std::string kCluster = kClusterSearch + "nameserver 10.96.0.10|options ndots:5|";
const std::string kHosts =
    "search corp.example example|nameserver 192.0.2.53|nameserver 192.0.2.54|"
    "options timeout:2 rotate|";

TEST(ResolvConf, ThePolicyAndTheNetworkDecideWhoIsAsked) {
  using Policy = DnsPolicy;
  struct Case {
    Policy policy;
    bool host_network;
    bool has_cluster_dns;
    std::string expected;
  };
  const std::string missing =
      " (MissingClusterDNS: the node knows no address of the cluster's DNS, so the pod gets the "
      "node's servers)";
  const Case cases[] = {
      {Policy::kClusterFirst, false, true, kCluster},
      {Policy::kClusterFirst, true, true, kHosts},
      {Policy::kClusterFirstWithHostNet, true, true, kCluster},
      {Policy::kClusterFirstWithHostNet, false, true, kCluster},
      {Policy::kDefault, false, true, kHosts},
      {Policy::kDefault, true, true, kHosts},
      {Policy::kNone, false, true, ""},
      {Policy::kNone, true, true, ""},
      {Policy::kClusterFirst, false, false, kHosts + missing},
      {Policy::kClusterFirst, true, false, kHosts},
      {Policy::kClusterFirstWithHostNet, true, false, kHosts + missing},
      {Policy::kDefault, false, false, kHosts},
      {Policy::kNone, false, false, ""},
  };
  for (const Case& c : cases) {
    NodeDns on = node();
    if (!c.has_cluster_dns) on.cluster_dns.clear();
    const PodDns pod{.ns = "lg", .policy = c.policy, .host_network = c.host_network};
    EXPECT_EQ(composed(pod, on), c.expected);
  }
}

TEST(ResolvConf, ThePodsOwnWishesComeBehind) {
  const PodDns asking{.ns = "lg",
                      .servers = {"1.1.1.1", "10.96.0.10"},
                      .searches = {"mine.", "svc.cluster.local"},
                      .options = {{.name = "ndots", .value = "2"}, {.name = "edns0"}}};
  EXPECT_EQ(composed(asking, node()),
            "search lg.svc.cluster.local svc.cluster.local cluster.local corp.example example mine|"
            "nameserver 10.96.0.10|nameserver 1.1.1.1|options ndots:2 edns0|");
  PodDns alone = asking;
  alone.policy = DnsPolicy::kNone;
  EXPECT_EQ(composed(alone, node()),
            "search mine svc.cluster.local|nameserver 1.1.1.1|nameserver 10.96.0.10|"
            "options ndots:2 edns0|");
  PodDns on_host = asking;
  on_host.policy = DnsPolicy::kDefault;
  on_host.options = {{.name = "timeout", .value = "9"}, {.name = "rotate"}};
  EXPECT_EQ(composed(on_host, node()),
            "search corp.example example mine svc.cluster.local|nameserver 192.0.2.53|"
            "nameserver 192.0.2.54|nameserver 1.1.1.1|options timeout:9 rotate| (DNSConfigForming: "
            "only three nameservers are used, \"10.96.0.10\" is left out)");
}

TEST(ResolvConf, ALoopbackServerOfTheNodeIsNoneForAPod) {
  NodeDns on = node();
  on.host->servers = {"127.0.0.53"};
  const PodDns pod{.ns = "lg", .policy = DnsPolicy::kDefault};
  EXPECT_EQ(
      composed(pod, on),
      "search corp.example example|options timeout:2 rotate| (the node's server 127.0.0.53 is "
      "left out: a pod cannot reach it)");
  on.host_view = IpAddress::parse("169.254.20.11");
  EXPECT_EQ(composed(pod, on),
            "search corp.example example|nameserver 169.254.20.11|options timeout:2 rotate|");
  EXPECT_EQ(resolv_conf_of(pod, on).lines.front().reason,
            "in the place of the node's 127.0.0.53, which a pod cannot reach");
  const PodDns host_pod{.ns = "lg", .host_network = true};
  EXPECT_EQ(resolv_conf_of(host_pod, on).file.servers, std::vector<std::string>{"127.0.0.53"});
}

TEST(ResolvConf, WithoutAFileTheNodesOwnStubIsAsked) {
  NodeDns on = node();
  on.host.reset();
  EXPECT_EQ(composed({.ns = "lg", .policy = DnsPolicy::kDefault}, on),
            "nameserver 127.0.0.1|nameserver ::1|");
  EXPECT_EQ(composed({.ns = "lg"}, on),
            "search lg.svc.cluster.local svc.cluster.local cluster.local|nameserver 10.96.0.10|"
            "options ndots:5|");
  on.cluster_domain.clear();
  EXPECT_EQ(composed({.ns = "lg"}, on), "nameserver 10.96.0.10|options ndots:5|");
}

TEST(ResolvConf, LimitsAreKeptAndToldOf) {
  NodeDns on = node();
  on.cluster_dns = {*IpAddress::parse("10.96.0.10"), *IpAddress::parse("10.96.0.11"),
                    *IpAddress::parse("10.96.0.12"), *IpAddress::parse("fd00::a")};
  PodResolvConf result = resolv_conf_of({.ns = "lg"}, on);
  EXPECT_EQ(result.file.servers.size(), 3U);
  EXPECT_EQ(result.warnings.size(), 1U);

  on = node();
  for (int i = 0; i < 40; ++i) on.host->searches.push_back("d" + std::to_string(i));
  result = resolv_conf_of({.ns = "lg"}, on);
  EXPECT_EQ(result.file.searches.size(), 32U);
  EXPECT_EQ(result.warnings.size(), 1U);

  on = node();
  on.host->searches = {std::string(254, 'x'), "short"};
  result = resolv_conf_of({.ns = "lg"}, on);
  EXPECT_EQ(result.file.searches.back(), "short");
  EXPECT_EQ(result.file.searches.size(), 4U);
  EXPECT_EQ(result.warnings.size(), 1U);

  on.host->searches.clear();
  for (int i = 0; i < 10; ++i)
    on.host->searches.push_back(std::string(220, static_cast<char>('a' + i)));
  result = resolv_conf_of({.ns = "lg"}, on);
  std::size_t size = 0;
  for (const auto& domain : result.file.searches) size += 1 + domain.size();
  EXPECT_LE(size - 1, 2048U);
  EXPECT_GT(size + 220, 2048U);
}

TEST(ResolvConf, TheRootIsNoSearchDomainBesideOthers) {
  NodeDns on = node();
  on.host->searches = {"."};
  EXPECT_EQ(composed({.ns = "lg"}, on),
            "search lg.svc.cluster.local svc.cluster.local cluster.local|nameserver 10.96.0.10|"
            "options ndots:5| (the search domain \".\" is left out: the C library of some images "
            "fails on it)");
  EXPECT_EQ(resolv_conf_of({.ns = "lg", .policy = DnsPolicy::kDefault}, on).file.searches,
            std::vector<std::string>{"."})
      << "alone it says that nothing shall be searched";
}

TEST(ResolvConf, EachLineHasItsReason) {
  const auto lines = resolv_conf_of({.ns = "lg", .servers = {"1.1.1.1"}}, node()).lines;
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines[0], (ResolvConfLine{"nameserver 10.96.0.10", "the cluster's DNS"}));
  EXPECT_EQ(lines[1], (ResolvConfLine{"nameserver 1.1.1.1", "the pod's dnsConfig"}));
  EXPECT_EQ(lines[2], (ResolvConfLine{"search lg.svc.cluster.local", "the cluster's domain"}));
  EXPECT_EQ(lines[6], (ResolvConfLine{"search example", "the node's resolv.conf"}));
  EXPECT_EQ(lines[7],
            (ResolvConfLine{"options ndots:5", "names of services have up to four dots"}));
}

TEST(ResolvConf, TheNodesFileIsReadAsTheKubeletReadsIt) {
  const ResolvConf file = must(parse_resolv_conf(
      "# comment\n; another\nnameserver 192.0.2.1 more\n  nameserver\t::1  \nsearch a b.\n"
      "domain ignored\nsortlist x\noptions first\nsearch c. .\noptions ndots:2 "
      "edns0\nunknown\n\n\f\n"));
  EXPECT_EQ(file, (ResolvConf{.servers = {"192.0.2.1", "::1"},
                              .searches = {"c", "."},
                              .options = {"ndots:2", "edns0"}}));
  EXPECT_EQ(must(parse_resolv_conf("")), ResolvConf());
  EXPECT_EQ(must(parse_resolv_conf("search a\nsearch\n")).searches, std::vector<std::string>());
  EXPECT_FALSE(parse_resolv_conf("nameserver\n"));
  EXPECT_FALSE(parse_resolv_conf(std::string(11U << 20U, 'x')));
}

TEST(ResolvConf, PoliciesAreTheApisWords) {
  EXPECT_EQ(parse_dns_policy(""), DnsPolicy::kClusterFirst);
  EXPECT_EQ(parse_dns_policy("ClusterFirstWithHostNet"), DnsPolicy::kClusterFirstWithHostNet);
  EXPECT_EQ(parse_dns_policy("Default"), DnsPolicy::kDefault);
  EXPECT_EQ(parse_dns_policy("None"), DnsPolicy::kNone);
  EXPECT_EQ(parse_dns_policy("default"), std::nullopt);
}

}  // namespace
}  // namespace weft
