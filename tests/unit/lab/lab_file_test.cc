#include "lab/lab_file.h"

#include <gtest/gtest.h>

#include "lab/manifest.h"

namespace weft::lab {
namespace {

LabFile parsed(const char* yaml) {
  const auto file = parse_lab_file(yaml, "lab.yaml");
  EXPECT_TRUE(file) << file.error().text();
  return file.value_or(LabFile{});
}

TEST(LabFile, EverythingHasADefault) {
  EXPECT_EQ(parsed(""), LabFile{});
  EXPECT_EQ(parsed("# nothing\n"), LabFile{});
}

TEST(LabFile, ReadsEveryKey) {
  const LabFile file = parsed(R"(
nodes:
  - {name: a, address: 10.0.0.1/24, gateway: 10.0.0.254, subnet: 10.4.1.0/24}
  - {address: [10.0.0.2/24, "fd00::2/64"]}
pods: 3
overlay: {Network: 10.4.0.0/16, Backend: {Type: host-gw}}
store: etcd
ipMasq: false
underlay: {mtu: 9000}
outside: 203.0.113.5
sysctls: {net/ipv4/conf/all/rp_filter: 1}
bridge: docker0
iptables: |
  *filter
  COMMIT
services: {subnet: [10.254.0.0/16, "fd00:254::/112"], mode: userspace}
dns:
  nodes: [a, a]
  domain: cluster.example
  names: {www.example.com: 203.0.113.80}
  resolvConf: nameserver 203.0.113.5
manifests: [a.yaml, b.yaml]
)");
  ASSERT_EQ(file.nodes.size(), 2U);
  EXPECT_EQ(file.nodes[0].name, "a");
  EXPECT_EQ(file.nodes[0].gateways.at(0).to_string(), "10.0.0.254");
  EXPECT_EQ(file.nodes[0].subnet->to_string(), "10.4.1.0/24");
  EXPECT_EQ(file.nodes[1].name, "node2");
  EXPECT_EQ(file.nodes[1].addresses.at(1).to_string(), "fd00::2/64");
  EXPECT_EQ(file.pods, 3U);
  EXPECT_EQ(file.overlay, R"({"Network":"10.4.0.0/16","Backend":{"Type":"host-gw"}})");
  EXPECT_EQ(file.store, StoreKind::kEtcd);
  EXPECT_FALSE(file.ip_masq);
  EXPECT_EQ(file.mtu, 9000U);
  EXPECT_EQ(file.outside.at(0).to_string(), "203.0.113.5");
  EXPECT_EQ(file.sysctls.at("net/ipv4/conf/all/rp_filter"), "1");
  EXPECT_EQ(file.bridge, "docker0");
  EXPECT_EQ(file.iptables, "*filter\nCOMMIT\n");
  EXPECT_EQ(file.service_subnets.at(1).to_string(), "fd00:254::/112");
  EXPECT_EQ(file.proxy_mode, "userspace");
  EXPECT_EQ(file.dns, (DnsFile{.nodes = {"a", "a"},
                               .domain = "cluster.example",
                               .names = {{"www.example.com", *IpAddress::parse("203.0.113.80")}},
                               .node_file = "nameserver 203.0.113.5"}));
  EXPECT_EQ(file.manifests, (std::vector<std::string>{"a.yaml", "b.yaml"}));
}

struct Refused {
  const char* yaml;
  const char* reason;  // a part of it
};

TEST(LabFile, RefusesWhatItDoesNotUnderstand) {
  const Refused cases[] = {
      {"node: 3", "did you mean \"nodes\"?"},
      {"zzzzzz: 1", "the keys here are nodes, pods"},
      {"nodes: 0", "from 1 to 200"},
      {"nodes: 201", "from 1 to 200"},
      {"nodes: []", "empty"},
      {"nodes: many", "a number"},
      {"nodes: [{nam: a}]", "node 1: unknown key \"nam\"; did you mean \"name\"?"},
      {"nodes: [{name: A}]", "cannot be a node's name"},
      {"nodes: [{name: outside}]", "the lab itself uses it"},
      {"nodes: [{name: seg0}]", "the lab itself uses it"},
      {"nodes: [{name: a-name-too-long-for-a-device}]", "at most 15"},
      {"nodes: [{address: 10.0.0.1}]", "no address with prefix length"},
      {"nodes: [{gateway: x}]", "no IP address"},
      {"pods: -1", "from 0 to 100"},
      {"overlay: vxlan", "net-conf.json"},
      {"store: etdc", "did you mean etcd?"},
      {"underlay: {mtu: 100}", "from 1280 to 65535"},
      {"underlay: {mtuu: 1500}", "did you mean \"mtu\"?"},
      {"outside: [here]", "no IP address"},
      {"sysctls: {kernel/panic: 1}", "no setting of a network namespace"},
      {"ipMasq: 1", "true or false"},
      {"services: {subnet: 10.254.0}", "\"10.254.0\" is no network"},
      {"services: {subnet: [10.1.0.0/16, 10.2.0.0/16]}", "are of one family"},
      {"services: {mode: ipvs}", "take nftables, iptables or userspace"},
      {"services: {mode: iptable}", "did you mean iptables?"},
      {"dns: true", "must be a map"},
      {"dns: {node: a}", "did you mean \"nodes\"?"},
      {"dns: {names: {www: here}}", "dns: www: \"here\" is no IP address"},
      {"dns: {resolvConf: nameserver}", "resolvConf"},
      {"pods: 1\npods: 2", "twice"},
      {"- a", "must be a map"},
      {"{", "line"},
      {"pods: 1\n---\npods: 2", "more than one document"},
  };
  for (const auto& refused : cases) {
    const auto file = parse_lab_file(refused.yaml, "lab.yaml");
    ASSERT_FALSE(file) << refused.yaml;
    EXPECT_NE(file.error().text().find(refused.reason), std::string::npos)
        << refused.yaml << " gives: " << file.error().text();
    EXPECT_EQ(file.error().text().find("lab.yaml"), 0U) << file.error().text();
  }
}

TEST(Manifest, ReadsThePodsOfAFile) {
  const auto manifests = parse_manifests(R"(
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: node2
  containers:
    - name: web
      image: ignored
      command: [python3, -m]
      args: [http.server, "8080"]
      env: [{name: MODE, value: fast}]
      ports: [{containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]
status: {podIP: 10.244.2.9}
---
apiVersion: v1
kind: Pod
metadata: {name: idle}
spec: {containers: [{name: idle, args: [of, the, image]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
)",
                                         "pods.yaml");
  ASSERT_TRUE(manifests) << manifests.error().text();
  ASSERT_EQ(manifests->pods.size(), 2U);
  const Pod& web = manifests->pods[0];
  EXPECT_EQ(web.space, "shop");
  EXPECT_EQ(web.node, "node2");
  EXPECT_EQ(web.labels.at("app"), "web");
  EXPECT_EQ(web.command, (std::vector<std::string>{"python3", "-m", "http.server", "8080"}));
  EXPECT_EQ(web.environment.at(0), (std::pair<std::string, std::string>{"MODE", "fast"}));
  EXPECT_EQ(web.ports.at(0).port, 80);
  EXPECT_EQ(web.ports.at(1), (ContainerPort{"dns", ServiceProtocol::kUdp, 53}));
  EXPECT_EQ(web.address, IpAddress::parse("10.244.2.9"));
  const Pod& idle = manifests->pods[1];
  EXPECT_EQ(idle.space, "default");
  EXPECT_TRUE(idle.node.empty());
  EXPECT_TRUE(idle.command.empty());
  EXPECT_FALSE(idle.address);
  ASSERT_EQ(manifests->services.size(), 1U);
  EXPECT_EQ(manifests->services[0]["metadata"]["name"], "web");
}

TEST(Manifest, RefusesWhatALabCannotRun) {
  const Refused cases[] = {
      {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}", "apps/v1 Deployment"},
      {"kind: Pod\nmetadata: {name: a}", "apiVersion"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {}", "metadata.name"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: A_b}", "cannot be a pod's name"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{}, {}]}",
       "2 containers"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{command: 1}]}",
       "\"command\" must be"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
       "spec: {containers: [{env: [{name: A, valueFrom: {}}]}]}",
       "valueFrom"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{ports: [{}]}]}",
       "no containerPort"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
       "spec: {containers: [{ports: [{containerPort: 70000}]}]}",
       "from 1 to 65535"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
       "spec: {containers: [{ports: [{containerPort: 9, protocol: SCTP}]}]}",
       "does not speak SCTP"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: here}", "is no address"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {dnsPolicy: First}",
       "there is no dnsPolicy First"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {dnsConfig: {nameserver: 10.0.0.1}}",
       "did you mean \"nameservers\"?"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {dnsConfig: {options: [{}]}}",
       "has no name"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}", "has no spec"},
      {"apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {}", "name"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 0}]}",
       "0 is no port"},
  };
  for (const auto& refused : cases) {
    const auto pods = parse_manifests(refused.yaml, "pods.yaml");
    ASSERT_FALSE(pods) << refused.yaml;
    EXPECT_NE(pods.error().text().find(refused.reason), std::string::npos)
        << refused.yaml << " gives: " << pods.error().text();
  }
}

}  // namespace
}  // namespace weft::lab
