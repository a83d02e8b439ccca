// kube_object.h: an object of the API as it came in, read once for all who want it.
#pragma once

#include <any>
#include <string_view>

#include "base/result.h"
#include "store/kube_message.h"

namespace weft {

/// Refers to its message, which outlives it. For one thread.
class KubeObject {
 public:
  KubeObject(const KubeMeta& meta, std::string_view message) : meta_(meta), message_(message) {}

  const KubeMeta& meta() const { return meta_; }
  std::string_view message() const { return message_; }

  /// As a Value of the model (Service, EndpointSlice): read at the first call, and the same at each
  /// other one for that type.
  template <class Value>
  const Result<Value>& as() const {
    if (const auto* known = std::any_cast<Result<Value>>(&read_)) return *known;
    return read_.emplace<Result<Value>>(Value::parse(message_));
  }

 private:
  const KubeMeta& meta_;
  const std::string_view message_;
  mutable std::any read_;
};

}  // namespace weft
