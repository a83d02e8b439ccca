// manifest.h: Kubernetes Pod manifests (v1), as far as a lab runs them.
//
// Read: metadata name, namespace, labels; spec.nodeName; of the first container command, args and
// env (name, value). Other members of a Pod are what a kubelet would need, and are ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

/// The pods of one file; a pod without spec.nodeName has an empty node. A kind other than v1 Pod
/// is refused by its name. `where` is the file's name.
Result<std::vector<Pod>> parse_manifests(std::string_view yaml, const std::string& where);

}  // namespace weft::lab
