#include "matrix/model.h"

namespace weft::matrix {

std::string to_string(PathClass path_class) {
  switch (path_class) {
    case PathClass::kPodToPodSameNode:
      return "pod-to-pod-same-node";
    case PathClass::kPodToPodOtherNode:
      return "pod-to-pod-other-node";
    case PathClass::kPodToOwnNode:
      return "pod-to-own-node";
    case PathClass::kPodToOtherNode:
      return "pod-to-other-node";
    case PathClass::kNodeToPod:
      return "node-to-pod";
    case PathClass::kPodToClusterAddress:
      return "pod-to-cluster-address";
    case PathClass::kNodeToClusterAddress:
      return "node-to-cluster-address";
    case PathClass::kPodToOwnService:
      return "pod-to-own-service";
    case PathClass::kOutsideToNodePort:
      return "outside-to-node-port";
    case PathClass::kOutsideToExternalAddress:
      return "outside-to-external-address";
    case PathClass::kPodToClusterName:
      return "pod-to-cluster-name";
    case PathClass::kPodToHeadlessName:
      return "pod-to-headless-name";
    case PathClass::kPodToOutsideName:
      return "pod-to-outside-name";
    case PathClass::kPodToOutside:
      break;
  }
  return "pod-to-outside";
}

std::string describe(PathClass path_class) {
  switch (path_class) {
    case PathClass::kPodToPodSameNode:
      return "pod to pod, same node";
    case PathClass::kPodToPodOtherNode:
      return "pod to pod, other node";
    case PathClass::kPodToOwnNode:
      return "pod to its own node";
    case PathClass::kPodToOtherNode:
      return "pod to another node";
    case PathClass::kNodeToPod:
      return "node to pod";
    case PathClass::kPodToClusterAddress:
      return "pod to cluster address";
    case PathClass::kNodeToClusterAddress:
      return "node to cluster address";
    case PathClass::kPodToOwnService:
      return "pod to a service of its own";
    case PathClass::kOutsideToNodePort:
      return "outside to node port";
    case PathClass::kOutsideToExternalAddress:
      return "outside to external address";
    case PathClass::kPodToClusterName:
      return "pod to the name of a service";
    case PathClass::kPodToHeadlessName:
      return "pod to a headless name";
    case PathClass::kPodToOutsideName:
      return "pod to an outside name";
    case PathClass::kPodToOutside:
      break;
  }
  return "pod to the outside";
}

std::string to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kIcmp:
      return "icmp";
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      break;
  }
  return "udp";
}

}  // namespace weft::matrix
