// coredns_command.h: `weftd coredns`.
#pragma once

#include <string>
#include <vector>

namespace weft::cmd {

/// Answers DNS queries as a Corefile says until SIGINT or SIGTERM, and returns the process's exit
/// code.
int run_coredns(const std::vector<std::string>& arguments);

}  // namespace weft::cmd
