#include "cluster/endpoint_slice.h"

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "support/kube_messages.h"

namespace weft {
namespace {

using test::kube_fields;
using test::kube_pair;

EndpointSlice read(std::string_view yaml) {
  const auto documents = parse_yaml(yaml).value();
  return EndpointSlice::read(documents.front()).value();
}

constexpr char kWhole[] = R"(
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-x7
  namespace: shop
  resourceVersion: "9"
  labels: {kubernetes.io/service-name: web, service.kubernetes.io/headless: ""}
  annotations: {endpoints.kubernetes.io/last-change-trigger-time: "2026-01-02T03:04:05.5Z"}
addressType: IPv4
ports:
- {name: http, protocol: TCP, port: 8080}
- {name: any, protocol: UDP}
endpoints:
- addresses: [10.244.1.7, 10.244.1.8]
  conditions: {ready: true, serving: true, terminating: false}
  hostname: web-0
  nodeName: node1
  zone: east
  targetRef: {kind: Pod, namespace: shop, name: web-0}
  hints: {forZones: [{name: east}, {name: west}], forNodes: [{name: node1}]}
- addresses: [10.244.2.7]
  conditions: {ready: false, serving: true, terminating: true}
- addresses: [10.244.3.7]
  targetRef: {kind: Node, name: node3}
)";

std::string conditions_message(bool ready, bool serving, bool terminating) {
  return kube_fields([&](auto& message) {
    message.add_bool(kube::endpoint_conditions::kReady, ready);
    message.add_bool(kube::endpoint_conditions::kServing, serving);
    message.add_bool(kube::endpoint_conditions::kTerminating, terminating);
  });
}

std::string target_message(const char* kind, const char* name) {
  return kube_fields([&](auto& message) {
    message.add_string(kube::object_reference::kKind, kind);
    message.add_string(kube::object_reference::kName, name);
  });
}

std::string name_message(const char* name) {
  return kube_fields([&](auto& message) { message.add_string(kube::only::kField, name); });
}

std::string first_endpoint() {
  namespace field = kube::endpoint;
  const std::string hints = kube_fields([](auto& message) {
    message.add_message(kube::endpoint_hints::kForZones, name_message("east"));
    message.add_message(kube::endpoint_hints::kForZones, name_message("west"));
    message.add_message(kube::endpoint_hints::kForNodes, name_message("node1"));
  });
  return kube_fields([&](auto& message) {
    message.add_string(field::kAddresses, "10.244.1.7");
    message.add_string(field::kAddresses, "10.244.1.8");
    message.add_message(field::kConditions, conditions_message(true, true, false));
    message.add_string(field::kHostname, "web-0");
    message.add_message(field::kTargetRef, target_message("Pod", "web-0"));
    message.add_string(field::kNodeName, "node1");
    message.add_string(field::kZone, "east");
    message.add_message(field::kHints, hints);
  });
}

std::string port_message(const char* name, const char* protocol, int port) {
  return kube_fields([&](auto& message) {
    message.add_string(kube::endpoint_port::kName, name);
    message.add_string(kube::endpoint_port::kProtocol, protocol);
    if (port != 0) message.add_int32(kube::endpoint_port::kPort, port);
  });
}

// What kWhole says, as the API server sends it.
std::string whole_message() {
  const std::string metadata = kube_fields([](auto& meta) {
    meta.add_string(kube::object_meta::kName, "web-x7");
    meta.add_string(kube::object_meta::kNamespace, "shop");
    meta.add_string(kube::object_meta::kResourceVersion, "9");
    meta.add_message(kube::object_meta::kLabels, kube_pair("kubernetes.io/service-name", "web"));
    meta.add_message(kube::object_meta::kLabels, kube_pair("service.kubernetes.io/headless", ""));
    meta.add_message(
        kube::object_meta::kAnnotations,
        kube_pair("endpoints.kubernetes.io/last-change-trigger-time", "2026-01-02T03:04:05.5Z"));
  });
  namespace field = kube::endpoint;
  return kube_fields([&](auto& slice) {
    slice.add_message(kube::object::kMetadata, metadata);
    slice.add_message(kube::endpoint_slice::kEndpoints, first_endpoint());
    slice.add_message(kube::endpoint_slice::kEndpoints, kube_fields([](auto& message) {
                        message.add_string(field::kAddresses, "10.244.2.7");
                        message.add_message(field::kConditions,
                                            conditions_message(false, true, true));
                      }));
    slice.add_message(kube::endpoint_slice::kEndpoints, kube_fields([](auto& message) {
                        message.add_string(field::kAddresses, "10.244.3.7");
                        message.add_message(field::kTargetRef, target_message("Node", "node3"));
                      }));
    slice.add_message(kube::endpoint_slice::kPorts, port_message("http", "TCP", 8080));
    slice.add_message(kube::endpoint_slice::kPorts, port_message("any", "UDP", 0));
    slice.add_string(kube::endpoint_slice::kAddressType, "IPv4");
  });
}

TEST(EndpointSlice, IsReadWithAllThatItsReadersNeed) {
  const EndpointSlice slice = read(kWhole);
  EXPECT_EQ(slice.service_name(), (ServiceName{"shop", "web"}));
  EXPECT_EQ(slice.name, "web-x7");
  EXPECT_EQ(slice.version, "9");
  EXPECT_EQ(slice.family, Family::kIpv4);
  EXPECT_TRUE(slice.headless_label);
  EXPECT_FALSE(slice.other_proxy);
  EXPECT_EQ(slice.trigger_time, "2026-01-02T03:04:05.5Z");
  EXPECT_EQ(slice.ports, (std::vector<EndpointPort>{
                             {.name = "http", .protocol = ServiceProtocol::kTcp, .port = 8080},
                             {.name = "any", .protocol = ServiceProtocol::kUdp, .port = 0}}));
  ASSERT_EQ(slice.endpoints.size(), 3U);
  const Endpoint& first = slice.endpoints[0];
  EXPECT_EQ(first.addresses.size(), 2U);
  EXPECT_EQ(first.addresses[0].to_string(), "10.244.1.7");
  EXPECT_EQ(first.hostname, "web-0");
  EXPECT_EQ(first.node, "node1");
  EXPECT_EQ(first.zone, "east");
  EXPECT_EQ(first.pod, "web-0");
  EXPECT_EQ(first.for_zones, (std::vector<std::string>{"east", "west"}));
  EXPECT_EQ(first.for_nodes, std::vector<std::string>{"node1"});
  EXPECT_FALSE(slice.endpoints[1].ready);
  EXPECT_TRUE(slice.endpoints[1].terminating);
  EXPECT_EQ(slice.endpoints[2].pod, "");
  EXPECT_TRUE(slice.faults.empty());
}

TEST(EndpointSlice, ConditionsThatAreNotSaidMeanReadyAndServing) {
  const Endpoint endpoint = read(kWhole).endpoints[2];
  EXPECT_TRUE(endpoint.ready);
  EXPECT_TRUE(endpoint.serving);
  EXPECT_FALSE(endpoint.terminating);
}

TEST(EndpointSlice, TheMessageAndTheManifestSayTheSame) {
  EXPECT_EQ(EndpointSlice::parse(whole_message()).value(), read(kWhole));
}

TEST(EndpointSlice, EveryHalfOfAMessageIsRefusedOrReadAsFarAsItIs) {
  const std::string whole = whole_message();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto half = EndpointSlice::parse(std::string_view(whole).substr(0, size));
    if (half) {
      EXPECT_EQ(half->name, "web-x7") << size;
    }
  }
}

TEST(EndpointSlice, WhatIsNoneIsRefused) {
  for (const char* yaml :
       {"addressType: IPv4", "{metadata: {}}", "{metadata: {name: a}, endpoints: {}}",
        "{metadata: {name: a}, endpoints: [{addresses: [1]}]}",
        "{metadata: {name: a}, endpoints: [{addresses: [], conditions: {ready: maybe}}]}",
        "{metadata: {name: a}, endpoints: [{hints: {forZones: [east]}}]}",
        "{metadata: {name: a}, ports: [{port: http}]}"})
    EXPECT_FALSE(EndpointSlice::read(parse_yaml(yaml).value().front())) << yaml;
  EXPECT_FALSE(EndpointSlice::parse("<html>"));
  EXPECT_FALSE(EndpointSlice::parse(""));
}

struct FaultCase {
  const char* members;
  const char* fault;  ///< a part of the only sentence
  std::size_t endpoints;
};

TEST(EndpointSlice, WhatMakesNoSenseIsLeftOutAndNamed) {
  for (const auto& [members, fault, endpoints] :
       {FaultCase{"addressType: IPv5, endpoints: [{addresses: [10.0.0.1]}]",
                  "addressType: \"IPv5\" is unknown", 0},
        {"addressType: IPv4, endpoints: [{addresses: ['fd00::1']}, {addresses: [10.0.0.1]}]",
         "fd00::1 is of the other family", 1},
        {"addressType: IPv4, endpoints: [{addresses: [127.0.0.1]}]", "traffic can be sent to", 0},
        {"addressType: IPv6, endpoints: [{addresses: ['fe80::1']}]", "traffic can be sent to", 0},
        {"addressType: IPv4, endpoints: [{addresses: [nowhere, 10.0.0.1]}]", "is no address", 1},
        {"addressType: IPv4, ports: [{port: 70000}]", "70000 is no port", 0},
        {"addressType: IPv4, ports: [{port: 7, protocol: ICMP}]", "\"ICMP\" is unknown", 0}}) {
    const EndpointSlice slice = read(std::string("{metadata: {name: a}, ") + members + "}");
    ASSERT_EQ(slice.faults.size(), 1U) << members;
    EXPECT_NE(slice.faults.front().find(fault), std::string::npos) << slice.faults.front();
    EXPECT_EQ(slice.endpoints.size(), endpoints) << members;
  }
}

TEST(EndpointSlice, NamesOfHostsHaveNoAddressToSendTo) {
  const EndpointSlice slice =
      read("{metadata: {name: a}, addressType: FQDN, endpoints: [{addresses: [db.example.com]}]}");
  EXPECT_EQ(slice.family, std::nullopt);
  EXPECT_TRUE(slice.endpoints.empty());
  EXPECT_TRUE(slice.faults.empty());
}

}  // namespace
}  // namespace weft
