// dhcp_daemon_options.h: the flags of `dhcp daemon`, which are the Go daemon's. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cni/plugins/dhcp_client.h"
#include "cni/plugins/dhcp_config.h"

namespace weft::cni {

struct DhcpDaemonOptions {
  std::string pid_file = {};     ///< absolute; empty: none
  std::string host_prefix = {};  ///< in front of the socket and of every namespace's path
  std::string socket = kDhcpSocket;
  DhcpTimeouts timeouts = {};
  bool broadcast = false;
};

/// Flags as Go's flag package takes them: one dash or two, the value behind "=" or as the next
/// word, durations like "1m2.5s". Fails on a flag that does not exist, naming the nearest.
Result<DhcpDaemonOptions> parse_dhcp_daemon_options(const std::vector<std::string>& words);

std::string dhcp_daemon_help();

}  // namespace weft::cni
