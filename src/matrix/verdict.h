// verdict.h: whether what the probes of a pair brought is what its path class promises. Pure.
//
// The Kubernetes network model: pods reach pods and nodes reach pods without NAT, so the target
// sees the pod's own address, or an address of the node. Beyond the pod network a pod goes by its
// node's address; on the way to another node both are right, for masquerading there is a choice.
#pragma once

#include <vector>

#include "base/exit_code.h"
#include "matrix/model.h"

namespace weft::matrix {

/// Of a pair that is not to a service (service_verdict.h). `from_node` is the node that `from` is
/// or stands on.
Verdict judge(PathClass path_class, const Place& from, const Place& from_node,
              const IpAddress& target, const ProbeResult& result);

/// The warning for a pair of which some probes were answered and some not.
Verdict some_lost(const ProbeResult& result);

struct Totals {
  unsigned fine = 0;
  unsigned warnings = 0;
  unsigned failed = 0;
};
Totals count(const std::vector<Cell>& cells);

/// kUsage when there is no cell: nothing could be checked.
ExitCode exit_code(const Totals& totals);

}  // namespace weft::matrix
