// kube_site.h: a segment with an API server on it, for all clusters of a test program: it takes
// seconds to start.
#pragma once

#include <memory>

#include "kube_server.h"
#include "support/segment.h"

namespace weft::test {

struct KubeSite {
  Segment segment = {};
  std::unique_ptr<Node> home = segment.add_node({"192.0.2.254/24"});
  /// The calling thread stands at the server's from the first call of kube_site() on.
  kernel::NetnsVisit visit = must(kernel::NetnsVisit::enter(home->netns()));
  KubeServer server{"192.0.2.254"};
};

inline KubeSite& kube_site() {
  static KubeSite site;
  return site;
}

}  // namespace weft::test
