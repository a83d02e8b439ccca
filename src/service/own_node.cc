#include "service/own_node.h"

#include <algorithm>

namespace weft::service {
namespace {

// Set before a node is taken away (k8s.io/autoscaler, utils/taints).
constexpr const char* kToBeDeleted = "ToBeDeletedByClusterAutoscaler";

}  // namespace

OwnNode own_node(const Node& node) {
  OwnNode own{.addresses = node.host_ips(), .zone = node.zone};
  for (const auto& text : node.pod_cidrs)
    if (const auto range = Prefix::parse(text)) own.pod_cidrs.push_back(*range);
  own.eligible = !node.deleting && std::find(node.taints.begin(), node.taints.end(),
                                             kToBeDeleted) == node.taints.end();
  return own;
}

}  // namespace weft::service
