#include "service/proxy_config.h"

#include <gtest/gtest.h>

#include "base/yaml.h"

namespace weft::service {
namespace {

constexpr char kHead[] =
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

Result<ReadConfig> read(const std::string& text) {
  return read_proxy_config(kHead + text);
}

// What kubeadm writes for its kube-proxy, release 1.34.
constexpr char kKubeadm[] = R"(apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
kind: KubeProxyConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
)";

TEST(ProxyConfig, WhatKubeadmWritesIsReadWithoutAWarning) {
  const auto file = read_proxy_config(kKubeadm);
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->warnings, std::vector<std::string>());
  const auto config = complete(file->config);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->client_connection.kubeconfig, "/var/lib/kube-proxy/kubeconfig.conf");
  EXPECT_EQ(config->cluster_cidr, "10.244.0.0/16");
  EXPECT_EQ(config->healthz_bind_address, "0.0.0.0:10256");
  EXPECT_EQ(config->metrics_bind_address, "127.0.0.1:10249");
  EXPECT_EQ(config->sync_period(), std::chrono::seconds(30));
  EXPECT_EQ(config->min_sync_period(), Period(0));
  EXPECT_EQ(config->conntrack.max_per_core, 32'768);
  EXPECT_EQ(config->oom_score_adj, -999);
}

TEST(ProxyConfig, KeysThatThereAreNotAreNamed) {
  const auto file = read("hostnameOveride: a\niptables: {masqueradebit: 3, colour: red}\n");
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(file->warnings,
            (std::vector<std::string>{
                "there is no key iptables.masqueradebit; did you mean masqueradeBit?; it is passed "
                "over",
                "there is no key iptables.colour; it is passed over",
                "there is no key hostnameOveride; did you mean hostnameOverride?; it is passed "
                "over"}));
  EXPECT_EQ(file->config.iptables.masquerade_bit, 14);
}

TEST(ProxyConfig, ValuesOfAWrongTypeAreRefusedByTheKeysName) {
  for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
           {"mode: [a]\n", "mode: "},
           {"bindAddressHardFail: \"yes\"\n", "bindAddressHardFail: "},
           {"iptables: {masqueradeBit: 1.5}\n", "iptables.masqueradeBit: "},
           {"oomScoreAdj: 99999999999\n", "oomScoreAdj: "},
           {"conntrack: {udpTimeout: 5}\n", "conntrack.udpTimeout: "},
           {"conntrack: {udpTimeout: soon}\n", "conntrack.udpTimeout: "},
           {"nodePortAddresses: primary\n", "nodePortAddresses: "},
           {"nodePortAddresses: [1]\n", "nodePortAddresses: "},
           {"featureGates: {A: 1}\n", "featureGates: "},
           {"nftables: 3\n", "nftables is no group"},
           {"clientConnection: {qps: many}\n", "clientConnection.qps: "}}) {
    const auto file = read(text);
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().what.substr(0, said.size()), said);
  }
}

TEST(ProxyConfig, OtherObjectsAreRefused) {
  EXPECT_FALSE(read_proxy_config(""));
  EXPECT_FALSE(read_proxy_config("[1]"));
  EXPECT_FALSE(read_proxy_config("kind: ["));
  EXPECT_FALSE(read_proxy_config("mode: nftables\n"));
  EXPECT_FALSE(read_proxy_config(
      "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1beta1\n"));
  EXPECT_FALSE(read_proxy_config(std::string(kHead) + "---\n" + kHead));
}

TEST(ProxyConfig, TheGroupOfTheModeCounts) {
  const auto file = read(
      "iptables: {masqueradeAll: true, syncPeriod: 10s, minSyncPeriod: 2s, masqueradeBit: 3}\n"
      "nftables: {syncPeriod: 20s, masqueradeBit: 4}\nipvs: {syncPeriod: 40s}\n");
  ASSERT_TRUE(file);
  ProxyConfig config = file->config;
  EXPECT_TRUE(config.masquerade_all());
  EXPECT_EQ(config.masquerade_bit(), 3);
  EXPECT_EQ(config.sync_period(), std::chrono::seconds(10));
  EXPECT_EQ(config.min_sync_period(), std::chrono::seconds(2));
  config.mode = "nftables";
  EXPECT_FALSE(config.masquerade_all());
  EXPECT_EQ(config.masquerade_bit(), 4);
  EXPECT_EQ(config.sync_period(), std::chrono::seconds(20));
  config.mode = "ipvs";
  EXPECT_TRUE(config.masquerade_all());
  EXPECT_EQ(config.sync_period(), std::chrono::seconds(40));
}

TEST(ProxyConfig, WhatMakesNoSenseIsRefused) {
  const auto refused = [](const std::function<void(ProxyConfig&)>& change) {
    ProxyConfig config;
    change(config);
    const auto done = complete(config);
    return done ? std::string() : done.error().what;
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_NE(refused([](auto& c) { c.bind_address = "here"; }), "");
  EXPECT_NE(refused([](auto& c) { c.healthz_bind_address = "127.0.0.1:0"; }), "");
  EXPECT_NE(refused([](auto& c) { c.metrics_bind_address = "localhost:10249"; }), "");
  EXPECT_NE(refused([](auto& c) { c.node_port_addresses = {"primary", "10.0.0.0/8"}; }), "");
  EXPECT_NE(refused([](auto& c) { c.node_port_addresses = {"eth0"}; }), "");
  EXPECT_NE(refused([](auto& c) { c.cluster_cidr = "10.244.0.0"; }), "");
  EXPECT_NE(refused([](auto& c) { c.cluster_cidr = "10.244.0.0/16,10.245.0.0/16"; }), "");
  EXPECT_EQ(refused([](auto& c) { c.cluster_cidr = "10.244.0.0/16,fd00::/48"; }), "");
  EXPECT_NE(refused([](auto& c) { c.detect_local_mode = "NodeCidr"; }), "");
  EXPECT_NE(refused([](auto& c) { c.detect_local_mode = "BridgeInterface"; }), "");
  EXPECT_NE(refused([](auto& c) { c.detect_local_mode = "InterfaceNamePrefix"; }), "");
  EXPECT_NE(refused([](auto& c) { c.iptables.masquerade_bit = 32; }), "");
  EXPECT_NE(refused([](auto& c) { c.oom_score_adj = 1001; }), "");
  EXPECT_NE(refused([](auto& c) { c.iptables.min_sync_period = std::chrono::minutes(1); }), "");
  EXPECT_NE(refused([](auto& c) { c.logging.format = "xml"; }), "");
}

TEST(ProxyConfig, AddressesGetTheirUsualPorts) {
  ProxyConfig config;
  config.bind_address = "::";
  config.metrics_bind_address = "10.0.0.1";
  const auto done = complete(config);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->healthz_bind_address, "[::]:10256");
  EXPECT_EQ(done->metrics_bind_address, "10.0.0.1:10249");
}

TEST(ProxyConfig, WhatIsWrittenIsReadAgain) {
  ProxyConfig config;
  config.mode = "nftables";
  config.hostname_override = "true";  // a name, and no word of YAML
  config.node_port_addresses = {"10.0.0.0/8", "fd00::/8"};
  config.feature_gates = {{"A", true}};
  config.conntrack.udp_timeout = std::chrono::milliseconds(1500);
  const std::string text = print_yaml(to_json(complete(config).value()));
  const auto again = read_proxy_config(text);
  ASSERT_TRUE(again) << again.error().text() << text;
  EXPECT_EQ(again->warnings, std::vector<std::string>());
  EXPECT_EQ(again->config.hostname_override, "true");
  EXPECT_EQ(print_yaml(to_json(again->config)), text);
}

}  // namespace
}  // namespace weft::service
