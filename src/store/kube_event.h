// kube_event.h: tells a cluster what happened to one of its objects, as an Event of the API.
//
// Source: k8s.io/api/core/v1 (Event). RBAC: events create.
#pragma once

#include <stop_token>
#include <string>

#include "base/unix_time.h"
#include "store/kube_client.h"

namespace weft {

struct KubeEvent {
  std::string kind = "Node";  ///< of the object
  std::string ns = {};        ///< of the object; empty for what has no namespace
  std::string name = {};
  std::string uid = {};
  bool warning = false;
  std::string reason = {};  ///< "Starting"
  std::string message = {};
  std::string component = {};  ///< who tells
  std::string host = {};       ///< the name of the node where it does
};

/// An Event is of the namespace of its object; of what has none, of "default".
Status post_event(const KubeClient& client, const KubeEvent& event, UnixSeconds now,
                  const std::stop_token& stop);

}  // namespace weft
