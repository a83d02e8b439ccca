// object_meta.h: what every Kubernetes object says about itself.
//
// Source: k8s.io/apimachinery/pkg/apis/meta/v1 (ObjectMeta).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/unix_time.h"

namespace weft {

struct ObjectMeta {
  std::string ns = {};  ///< empty for what has no namespace
  std::string name = {};
  std::string uid = {};
  std::string version = {};  ///< resourceVersion
  UnixSeconds created = {};
  bool deleting = false;  ///< it has a deletionTimestamp: only finalizers keep it
  bool operator==(const ObjectMeta&) const = default;
};

/// Labels and annotations are many, and few are wanted: they are shown one by one and not kept.
struct MetaPairs {
  /// Called with key and value, both UTF-8.
  using Show = std::function<void(std::string_view key, std::string_view value)>;
  Show label = {};
  Show annotation = {};
};

/// Of an ObjectMeta's protobuf message.
Result<ObjectMeta> read_object_meta(std::string_view message, const MetaPairs& pairs);

/// Of a manifest of something that has a namespace: "default" where it says none. An Error where it
/// has no name. `what` is the object in words: "a Service", "an EndpointSlice".
Result<ObjectMeta> read_manifest_meta(const Json& manifest, const std::string& what,
                                      const MetaPairs& pairs);

/// An entry of a protobuf map, or the front of a message whose first two fields are texts.
struct KubePair {
  std::string_view first;
  std::string_view second;
};
Result<KubePair> read_kube_pair(std::string_view message);

}  // namespace weft
