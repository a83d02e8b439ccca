// kube_fields.h: the numbers of the fields that are read of Kubernetes' protobuf messages.
//
// Source: generated.proto of k8s.io/apimachinery/pkg/runtime, k8s.io/apimachinery/pkg/apis/meta/v1,
// k8s.io/api/core/v1, k8s.io/api/discovery/v1 and k8s.io/api/networking/v1. Numbers never change
// there.
#pragma once

#include <cstdint>

namespace weft::kube {

using FieldNumber = std::uint32_t;

// runtime.Unknown, around everything that the API sends, and its TypeMeta.
namespace unknown {
inline constexpr FieldNumber kTypeMeta = 1;
inline constexpr FieldNumber kRaw = 2;
}  // namespace unknown
namespace type_meta {
inline constexpr FieldNumber kApiVersion = 1;
inline constexpr FieldNumber kKind = 2;
}  // namespace type_meta

// NodeList and the list of any other kind, and its ListMeta.
namespace list {
inline constexpr FieldNumber kMetadata = 1;
inline constexpr FieldNumber kItems = 2;
}  // namespace list
namespace list_meta {
inline constexpr FieldNumber kResourceVersion = 2;
inline constexpr FieldNumber kContinue = 3;
}  // namespace list_meta

namespace watch_event {
inline constexpr FieldNumber kType = 1;
inline constexpr FieldNumber kObject = 2;
}  // namespace watch_event
namespace raw_extension {
inline constexpr FieldNumber kRaw = 1;
}  // namespace raw_extension

namespace status {
inline constexpr FieldNumber kMessage = 3;
inline constexpr FieldNumber kCode = 6;
}  // namespace status

// An object of any kind, and its ObjectMeta.
namespace object {
inline constexpr FieldNumber kMetadata = 1;
}  // namespace object
namespace object_meta {
inline constexpr FieldNumber kName = 1;
inline constexpr FieldNumber kNamespace = 3;
inline constexpr FieldNumber kUid = 5;
inline constexpr FieldNumber kResourceVersion = 6;
inline constexpr FieldNumber kCreationTimestamp = 8;
inline constexpr FieldNumber kDeletionTimestamp = 9;
inline constexpr FieldNumber kLabels = 11;
inline constexpr FieldNumber kAnnotations = 12;
}  // namespace object_meta
namespace time {
inline constexpr FieldNumber kSeconds = 1;
}  // namespace time

namespace node {
inline constexpr FieldNumber kSpec = 2;
inline constexpr FieldNumber kStatus = 3;
}  // namespace node
namespace node_spec {
inline constexpr FieldNumber kPodCidr = 1;
inline constexpr FieldNumber kTaints = 5;  // a Taint begins with its key
inline constexpr FieldNumber kPodCidrs = 7;
}  // namespace node_spec
namespace node_status {
inline constexpr FieldNumber kConditions = 4;
inline constexpr FieldNumber kAddresses = 5;
}  // namespace node_status

// An entry of a map, a NodeAddress (type and address), and the front of a NodeCondition (type and
// status).
namespace pair {
inline constexpr FieldNumber kFirst = 1;
inline constexpr FieldNumber kSecond = 2;
}  // namespace pair

namespace service {
inline constexpr FieldNumber kSpec = 2;
inline constexpr FieldNumber kStatus = 3;
}  // namespace service
namespace service_spec {
inline constexpr FieldNumber kPorts = 1;
inline constexpr FieldNumber kSelector = 2;
inline constexpr FieldNumber kClusterIp = 3;
inline constexpr FieldNumber kType = 4;
inline constexpr FieldNumber kExternalIps = 5;
inline constexpr FieldNumber kSessionAffinity = 7;
inline constexpr FieldNumber kLoadBalancerSourceRanges = 9;
inline constexpr FieldNumber kExternalName = 10;
inline constexpr FieldNumber kExternalTrafficPolicy = 11;
inline constexpr FieldNumber kHealthCheckNodePort = 12;
inline constexpr FieldNumber kPublishNotReadyAddresses = 13;
inline constexpr FieldNumber kSessionAffinityConfig = 14;
inline constexpr FieldNumber kClusterIps = 18;
inline constexpr FieldNumber kInternalTrafficPolicy = 22;
}  // namespace service_spec
namespace service_port {
inline constexpr FieldNumber kName = 1;
inline constexpr FieldNumber kProtocol = 2;
inline constexpr FieldNumber kPort = 3;
inline constexpr FieldNumber kTargetPort = 4;
inline constexpr FieldNumber kNodePort = 5;
}  // namespace service_port
namespace int_or_string {
inline constexpr FieldNumber kNumber = 2;
inline constexpr FieldNumber kText = 3;
}  // namespace int_or_string
// A message whose only field is the one wanted: SessionAffinityConfig.clientIP,
// ClientIPConfig.timeoutSeconds, ServiceStatus.loadBalancer, LoadBalancerStatus.ingress,
// ForZone.name, ForNode.name.
namespace only {
inline constexpr FieldNumber kField = 1;
}  // namespace only
namespace load_balancer_ingress {
inline constexpr FieldNumber kIp = 1;
inline constexpr FieldNumber kIpMode = 3;
}  // namespace load_balancer_ingress

// The spec's cidrs are only::kField.
namespace service_cidr {
inline constexpr FieldNumber kSpec = 2;
}  // namespace service_cidr

namespace endpoint_slice {
inline constexpr FieldNumber kEndpoints = 2;
inline constexpr FieldNumber kPorts = 3;
inline constexpr FieldNumber kAddressType = 4;
}  // namespace endpoint_slice
namespace endpoint {
inline constexpr FieldNumber kAddresses = 1;
inline constexpr FieldNumber kConditions = 2;
inline constexpr FieldNumber kHostname = 3;
inline constexpr FieldNumber kTargetRef = 4;
inline constexpr FieldNumber kNodeName = 6;
inline constexpr FieldNumber kZone = 7;
inline constexpr FieldNumber kHints = 8;
}  // namespace endpoint
namespace endpoint_conditions {
inline constexpr FieldNumber kReady = 1;
inline constexpr FieldNumber kServing = 2;
inline constexpr FieldNumber kTerminating = 3;
}  // namespace endpoint_conditions
namespace endpoint_hints {
inline constexpr FieldNumber kForZones = 1;
inline constexpr FieldNumber kForNodes = 2;
}  // namespace endpoint_hints
namespace endpoint_port {
inline constexpr FieldNumber kName = 1;
inline constexpr FieldNumber kProtocol = 2;
inline constexpr FieldNumber kPort = 3;
}  // namespace endpoint_port
namespace object_reference {
inline constexpr FieldNumber kKind = 1;
inline constexpr FieldNumber kName = 3;
}  // namespace object_reference

}  // namespace weft::kube
