#include "cluster/service.h"

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "support/kube_messages.h"

namespace weft {
namespace {

using test::kube_fields;
using test::kube_pair;

Service read(std::string_view yaml) {
  const auto documents = parse_yaml(yaml).value();
  return Service::read(documents.front()).value();
}

// A Service whose spec has these lines.
Service with_spec(const std::string& lines) {
  return read("metadata: {name: web, namespace: shop}\nspec:\n  " + lines + "\n");
}

constexpr char kWhole[] = R"(
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  resourceVersion: "7"
  creationTimestamp: 2026-01-02T03:04:05Z
  labels: {app: web, service.kubernetes.io/service-proxy-name: other}
spec:
  type: LoadBalancer
  clusterIPs: [10.96.0.10, "fd00::a"]
  clusterIP: 10.96.0.10
  selector: {app: web}
  ports:
  - {name: http, protocol: TCP, port: 80, targetPort: 8080, nodePort: 30080}
  - {name: dns, protocol: UDP, port: 53, targetPort: dns-port}
  externalIPs: [192.0.2.7]
  loadBalancerSourceRanges: [" 198.51.100.0/24 ", "2001:db8::/32"]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  healthCheckNodePort: 31000
  publishNotReadyAddresses: true
status:
  loadBalancer:
    ingress:
    - {ip: 203.0.113.1, ipMode: VIP}
    - {ip: 203.0.113.2, ipMode: Proxy}
    - {hostname: lb.example.com}
    - {ip: 203.0.113.3}
)";

std::string port_message(const char* name, const char* protocol, int port, int node_port,
                         const std::string& target) {
  return kube_fields([&](auto& message) {
    message.add_string(kube::service_port::kName, name);
    message.add_string(kube::service_port::kProtocol, protocol);
    message.add_int32(kube::service_port::kPort, port);
    message.add_message(kube::service_port::kTargetPort, target);
    message.add_int32(kube::service_port::kNodePort, node_port);
  });
}

std::string ingress_message(const char* ip, const char* mode) {
  return kube_fields([&](auto& message) {
    message.add_string(kube::load_balancer_ingress::kIp, ip);
    if (mode != nullptr) message.add_string(kube::load_balancer_ingress::kIpMode, mode);
  });
}

std::string only(const std::string& message) {
  return kube_fields([&](auto& outer) { outer.add_message(kube::only::kField, message); });
}

// What kWhole says, as the API server sends it.
std::string whole_message() {
  const std::string metadata = kube_fields([](auto& meta) {
    meta.add_string(kube::object_meta::kName, "web");
    meta.add_string(kube::object_meta::kNamespace, "shop");
    meta.add_string(kube::object_meta::kResourceVersion, "7");
    meta.add_message(kube::object_meta::kCreationTimestamp, kube_fields([](auto& time) {
                       time.add_int64(kube::time::kSeconds, 1'767'323'045);
                     }));
    meta.add_message(kube::object_meta::kLabels, kube_pair("app", "web"));
    meta.add_message(kube::object_meta::kLabels,
                     kube_pair("service.kubernetes.io/service-proxy-name", "other"));
  });
  const std::string number =
      kube_fields([](auto& target) { target.add_int32(kube::int_or_string::kNumber, 8080); });
  const std::string text =
      kube_fields([](auto& target) { target.add_string(kube::int_or_string::kText, "dns-port"); });
  const std::string seconds =
      kube_fields([](auto& config) { config.add_int32(kube::only::kField, 60); });
  namespace spec_field = kube::service_spec;
  const std::string spec = kube_fields([&](auto& message) {
    message.add_message(spec_field::kPorts, port_message("http", "TCP", 80, 30080, number));
    message.add_message(spec_field::kPorts, port_message("dns", "UDP", 53, 0, text));
    message.add_message(spec_field::kSelector, kube_pair("app", "web"));
    message.add_string(spec_field::kClusterIp, "10.96.0.10");
    message.add_string(spec_field::kType, "LoadBalancer");
    message.add_string(spec_field::kExternalIps, "192.0.2.7");
    message.add_string(spec_field::kSessionAffinity, "ClientIP");
    message.add_string(spec_field::kLoadBalancerSourceRanges, " 198.51.100.0/24 ");
    message.add_string(spec_field::kLoadBalancerSourceRanges, "2001:db8::/32");
    message.add_string(spec_field::kExternalTrafficPolicy, "Local");
    message.add_int32(spec_field::kHealthCheckNodePort, 31000);
    message.add_bool(spec_field::kPublishNotReadyAddresses, true);
    message.add_message(spec_field::kSessionAffinityConfig, only(seconds));
    message.add_string(spec_field::kClusterIps, "10.96.0.10");
    message.add_string(spec_field::kClusterIps, "fd00::a");
    message.add_string(spec_field::kInternalTrafficPolicy, "Local");
  });
  const std::string balancer = kube_fields([](auto& message) {
    message.add_message(kube::only::kField, ingress_message("203.0.113.1", "VIP"));
    message.add_message(kube::only::kField, ingress_message("203.0.113.2", "Proxy"));
    message.add_message(kube::only::kField, ingress_message("", nullptr));
    message.add_message(kube::only::kField, ingress_message("203.0.113.3", nullptr));
  });
  return kube_fields([&](auto& message) {
    message.add_message(kube::object::kMetadata, metadata);
    message.add_message(kube::service::kSpec, spec);
    message.add_message(kube::service::kStatus, only(balancer));
  });
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST(Service, IsReadWithAllThatItsProxyNeeds) {
  const Service service = read(kWhole);
  EXPECT_EQ(service.name, (ServiceName{"shop", "web"}));
  EXPECT_EQ(service.version, "7");
  EXPECT_EQ(print_time(service.created), "2026-01-02T03:04:05Z");
  EXPECT_EQ(service.type, ServiceType::kLoadBalancer);
  EXPECT_EQ(service.cluster_ips, (std::vector{ip("10.96.0.10"), ip("fd00::a")}));
  EXPECT_EQ(service.ports, (std::vector<ServicePort>{{.name = "http",
                                                      .protocol = ServiceProtocol::kTcp,
                                                      .port = 80,
                                                      .node_port = 30080,
                                                      .target_port = "8080"},
                                                     {.name = "dns",
                                                      .protocol = ServiceProtocol::kUdp,
                                                      .port = 53,
                                                      .node_port = 0,
                                                      .target_port = "dns-port"}}));
  EXPECT_EQ(service.external_ips, std::vector{ip("192.0.2.7")});
  EXPECT_EQ(service.load_balancer_ips, (std::vector{ip("203.0.113.1"), ip("203.0.113.3")}));
  ASSERT_EQ(service.load_balancer_source_ranges.size(), 2U);
  EXPECT_EQ(service.load_balancer_source_ranges[0].to_string(), "198.51.100.0/24");
  EXPECT_TRUE(service.has_source_ranges);
  EXPECT_EQ(service.client_affinity, std::chrono::seconds(60));
  EXPECT_EQ(service.internal_traffic_policy, TrafficPolicy::kLocal);
  EXPECT_EQ(service.external_traffic_policy, TrafficPolicy::kLocal);
  EXPECT_EQ(service.health_check_node_port, 31000);
  EXPECT_TRUE(service.publish_not_ready_addresses);
  EXPECT_TRUE(service.other_proxy);
  EXPECT_FALSE(service.headless_label);
  EXPECT_EQ(service.selector.at("app"), "web");
  EXPECT_TRUE(service.faults.empty());
}

TEST(Service, TheMessageAndTheManifestSayTheSame) {
  EXPECT_EQ(Service::parse(whole_message()).value(), read(kWhole));
}

TEST(Service, EveryHalfOfAMessageIsRefusedOrReadAsFarAsItIs) {
  const std::string whole = whole_message();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto half = Service::parse(std::string_view(whole).substr(0, size));
    if (half) {
      EXPECT_EQ(half->name.name, "web") << size;
    }
  }
}

TEST(Service, WhatIsNoneIsRefused) {
  for (const char* yaml :
       {"spec: {}", "metadata: {}", "metadata: [1]", "metadata: {name: 1}", "[]",
        "{metadata: {name: a}, spec: 1}", "{metadata: {name: a}, spec: {ports: 1}}",
        "{metadata: {name: a}, spec: {ports: [{port: many}]}}",
        "{metadata: {name: a}, status: {loadBalancer: 1}}",
        "{metadata: {name: a, creationTimestamp: yesterday}}",
        "{metadata: {name: a, labels: {b: 1}}}"})
    EXPECT_FALSE(Service::read(parse_yaml(yaml).value().front())) << yaml;
  EXPECT_FALSE(Service::parse("<html>"));
  EXPECT_FALSE(Service::parse(""));
}

TEST(Service, SilenceMeansTheDefaults) {
  const Service service = read("metadata: {name: web}");
  EXPECT_EQ(service, (Service{.name = {"default", "web"}}));
}

TEST(Service, HeadlessAndExternalNamesHaveNoAddress) {
  EXPECT_TRUE(with_spec("clusterIP: None").headless);
  EXPECT_TRUE(with_spec("clusterIPs: [None]").headless);
  const Service external = with_spec("{type: ExternalName, externalName: db.example.com}");
  EXPECT_EQ(external.type, ServiceType::kExternalName);
  EXPECT_EQ(external.external_name, "db.example.com");
}

TEST(Service, AffinityHasTheApisDefault) {
  EXPECT_EQ(with_spec("sessionAffinity: ClientIP").client_affinity, std::chrono::seconds(10800));
  EXPECT_EQ(with_spec("sessionAffinity: None").client_affinity, std::nullopt);
}

TEST(Service, AddressesMayBeSpelledAsGoOnceReadThem) {
  const Service service =
      with_spec("{clusterIP: 010.096.000.010, externalIPs: ['::ffff:192.0.2.7']}");
  EXPECT_EQ(service.cluster_ips, std::vector{ip("10.96.0.10")});
  EXPECT_EQ(service.external_ips, std::vector{ip("192.0.2.7")});
  EXPECT_TRUE(service.faults.empty());
}

struct FaultCase {
  const char* spec;
  const char* fault;  ///< a part of the only sentence
};

TEST(Service, WhatMakesNoSenseIsLeftOutAndNamed) {
  for (const auto& [spec, fault] :
       {FaultCase{"type: Magic", "type: \"Magic\" is unknown"},
        {"clusterIP: 10.96.0", "clusterIPs: \"10.96.0\" is no address"},
        {"clusterIP: 10.96..1", "is no address"},
        {"clusterIP: 127.0.0.1", "no address that traffic can be sent to"},
        {"clusterIP: 0.0.0.0", "no address that traffic can be sent to"},
        {"clusterIP: 224.0.0.1", "no address that traffic can be sent to"},
        {"clusterIP: 'fe80::1'", "no address that traffic can be sent to"},
        {"clusterIPs: [10.96.0.1, 10.96.0.2]", "10.96.0.2 is a second one of its family"},
        {"externalIPs: [192.0.2.1, 192.0.2.1]", "\"192.0.2.1\" is there twice"},
        {"ports: [{port: 0}]", "ports: 0 is no port"},
        {"ports: [{port: 65536}]", "ports: 65536 is no port"},
        {"ports: [{port: -1}]", "ports: -1 is no port"},
        {"ports: [{port: 80, protocol: tcp}]", "the protocol \"tcp\" is unknown"},
        {"ports: [{port: 80, nodePort: 70000}]", "70000 is no node port"},
        {"ports: [{name: a, port: 80}, {name: b, port: 80}]", "port 80 \"b\" is there twice"},
        {"ports: [{name: a, port: 80}, {name: a, port: 81}]", "port 81 \"a\" is there twice"},
        {"loadBalancerSourceRanges: [everywhere]", "\"everywhere\" is no network"},
        {"internalTrafficPolicy: Near", "internalTrafficPolicy: \"Near\" is unknown"},
        {"externalTrafficPolicy: local", "externalTrafficPolicy: \"local\" is unknown"},
        {"sessionAffinity: Cookie", "sessionAffinity: \"Cookie\" is unknown"},
        {"{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
         "the default is taken"},
        {"healthCheckNodePort: -5", "healthCheckNodePort: -5 is no port"}}) {
    const Service service = with_spec(spec);
    ASSERT_EQ(service.faults.size(), 1U) << spec;
    EXPECT_NE(service.faults.front().find(fault), std::string::npos) << service.faults.front();
  }
}

TEST(Service, TheSamePortNumberMayBeUsedByTwoProtocols) {
  const Service service =
      with_spec("ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]");
  EXPECT_EQ(service.ports.size(), 2U);
  EXPECT_TRUE(service.faults.empty());
}

TEST(Service, UnreadableSourceRangesDoNotOpenTheDoor) {
  const Service service = with_spec("loadBalancerSourceRanges: [everywhere]");
  EXPECT_TRUE(service.has_source_ranges);
  EXPECT_TRUE(service.load_balancer_source_ranges.empty());
  EXPECT_FALSE(with_spec("loadBalancerSourceRanges: ['  ']").has_source_ranges);
}

TEST(Service, AThousandFaultsAreToldInAFewSentences) {
  std::string addresses;
  for (int i = 0; i < 1000; ++i) addresses += "x" + std::to_string(i) + ",";
  const Service service = with_spec("externalIPs: [" + addresses + "]");
  EXPECT_GT(service.faults.size(), 1U);
  EXPECT_LT(service.faults.size(), 20U);
}

}  // namespace
}  // namespace weft
