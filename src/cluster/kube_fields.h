// kube_fields.h: the numbers of the fields that are read of Kubernetes' protobuf messages.
//
// Source: generated.proto of k8s.io/apimachinery/pkg/runtime, k8s.io/apimachinery/pkg/apis/meta/v1
// and k8s.io/api/core/v1. Numbers never change there.
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

}  // namespace weft::kube
