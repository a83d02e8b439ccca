// flanneld_command.h: `weftd flanneld`.
#pragma once

#include <string>
#include <vector>

namespace weft::cmd {

/// Runs the overlay agent until SIGINT or SIGTERM and returns the process's exit code.
/// `drop_in`: called by flanneld's name, so that its defaults hold where ours differ.
int run_flanneld(const std::vector<std::string>& arguments, bool drop_in);

}  // namespace weft::cmd
