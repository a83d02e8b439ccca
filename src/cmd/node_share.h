// node_share.h: what the parts of `weftd node` share.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/kube_access.h"
#include "store/kube_reader.h"

namespace weft::cmd {

struct NodeShare {
  std::string node_name = {};  ///< of the node's Node
  /// A folder of manifests in the API's place; empty: the API.
  std::string store_dir = {};
  // Of the API, or nothing:
  std::optional<KubeAccess> access = {};
  std::shared_ptr<KubeReader> reader = {};
};

}  // namespace weft::cmd
