// docker_options_command.h: `weftd mk-docker-opts`.
#pragma once

#include <string>
#include <vector>

namespace weft::cmd {

/// Writes the options of a Docker daemon, as flannel's mk-docker-opts.sh does and with its flags
/// and exit codes: 1 for wrong usage, too.
int run_docker_options(const std::vector<std::string>& arguments);

}  // namespace weft::cmd
