// dhcp_daemon.h: `dhcp daemon`, which asks DHCP servers in the containers' names and keeps the
// leases alive.
//
// Theory of operation. One thread and one poll(2): the socket of the plugins, their connections
// (dhcp_rpc.h), and a packet socket for each container that waits for a server (dhcp_leases.h). The
// states of a lease are pure (dhcp_client.h). Leases are written down: another daemon, after a
// restart or an upgrade, goes on with them.
#pragma once

#include "base/result.h"
#include "cni/plugins/dhcp_daemon_options.h"

namespace weft::cni {

/// Runs until SIGTERM or SIGINT. Leases are kept, not given back.
Status run_dhcp_daemon(const DhcpDaemonOptions& options);

}  // namespace weft::cni
