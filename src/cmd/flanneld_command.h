// flanneld_command.h: `weftd flanneld`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cmd/node_share.h"
#include "node/part.h"

namespace weft::cmd {

/// Runs the overlay agent until SIGINT or SIGTERM and returns the process's exit code.
/// `drop_in`: called by flanneld's name, so that its defaults hold where ours differ.
int run_flanneld(const std::vector<std::string>& arguments, bool drop_in);

/// The same as a part of `weftd node`. An Error where the arguments make no sense there.
Result<node::Part> flanneld_part(const std::vector<std::string>& arguments, const NodeShare& share);

}  // namespace weft::cmd
