// coredns_command.h: `weftd coredns`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cmd/node_share.h"
#include "node/part.h"

namespace weft::cmd {

/// Answers DNS queries as a Corefile says until SIGINT or SIGTERM, and returns the process's exit
/// code.
int run_coredns(const std::vector<std::string>& arguments);

/// The same as a part of `weftd node`. An Error where the arguments make no sense there.
Result<node::Part> coredns_part(const std::vector<std::string>& arguments, const NodeShare& share);

}  // namespace weft::cmd
