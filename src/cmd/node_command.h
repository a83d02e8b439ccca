// node_command.h: `weftd node`, the programs of a node in one process.
#pragma once

#include <string>
#include <vector>

namespace weft::cmd {

/// Runs until a signal; returns the process's exit code.
int run_node(const std::vector<std::string>& arguments);

}  // namespace weft::cmd
