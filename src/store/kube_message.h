// kube_message.h: the messages of the Kubernetes API, as far as they are the same for all kinds.
//
// Lists and watches come in its protobuf encoding: the magic bytes and a runtime.Unknown, which
// says the kind and holds the object as a message of that kind. An `object` below is such a
// message without what is around it. Pure.
//
// Source: kubernetes.io/docs/reference/using-api/api-concepts (Kubernetes Protobuf encoding);
// k8s.io/apimachinery/pkg/runtime/serializer/protobuf. The numbers are in cluster/kube_fields.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/http_client.h"

namespace weft {

inline constexpr char kKubeProtobuf[] = "application/vnd.kubernetes.protobuf";
/// In front of everything that is sent in it.
inline constexpr std::string_view kKubeMagic{"k8s\0", 4};

/// The members of metadata that any object has.
struct KubeMeta {
  std::string ns = {};  ///< its namespace; empty for a Node
  std::string name = {};
  std::string version = {};
  bool operator==(const KubeMeta&) const = default;
};
/// An Error where it is no object.
Result<KubeMeta> read_kube_meta(std::string_view object);

/// The kind that a TypeMeta names.
Result<std::string> read_kube_kind(std::string_view type_meta);

struct KubeWatchEvent {
  enum class Type { kPut, kRemoved, kBookmark, kError };
  Type type = Type::kPut;
  std::string_view object = {};  ///< of kError a metav1.Status
};
/// One frame of a watch stream. The event refers to the frame.
Result<KubeWatchEvent> parse_kube_watch_event(std::string_view frame);

/// A refusal in words: from the Status in its body, which may be protobuf or JSON whatever was
/// asked for, or from the HTTP status alone. For its number see KubeClient::call().
Failure kube_refusal(const std::string& tried, const HttpAnswer& answer);

/// What an event of type ERROR says; its number is ESTALE when the version is too old (410).
Failure kube_watch_error(std::string_view status);

}  // namespace weft
