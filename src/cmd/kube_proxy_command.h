// kube_proxy_command.h: `weftd kube-proxy`, the service proxy of a node.
#pragma once

#include <string>
#include <vector>

namespace weft::cmd {

/// Runs until a signal; returns the process's exit code.
int run_kube_proxy(const std::vector<std::string>& arguments);

}  // namespace weft::cmd
