// kube_proxy_command.h: `weftd kube-proxy`, the service proxy of a node.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cmd/node_share.h"
#include "node/part.h"

namespace weft::cmd {

/// Runs until a signal; returns the process's exit code.
int run_kube_proxy(const std::vector<std::string>& arguments);

/// The same as a part of `weftd node`. An Error where the arguments make no sense there.
Result<node::Part> kube_proxy_part(const std::vector<std::string>& arguments,
                                   const NodeShare& share);

}  // namespace weft::cmd
