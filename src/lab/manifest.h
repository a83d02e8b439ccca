// manifest.h: Kubernetes manifests, as far as a lab runs them: v1 Pod and v1 Service.
//
// Read of a Pod: metadata name, namespace, labels; spec.nodeName; of the first container command,
// args, env (name, value) and ports (containerPort, protocol, name); status.podIP, which the pod is
// given again. Other members are what a kubelet would need, and are ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

struct Manifests {
  std::vector<Pod> pods = {};  ///< one without spec.nodeName has an empty node
  std::vector<Json> services = {};

  void append(const Manifests& other);
};

/// The objects of one file. A kind that a lab does not know is refused by its name. `where` is the
/// file's name.
Result<Manifests> parse_manifests(std::string_view yaml, const std::string& where);

}  // namespace weft::lab
