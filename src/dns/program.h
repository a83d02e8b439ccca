// program.h: a DNS server that does what a Corefile says, from its start to its end.
//
// Theory of operation. The Corefile makes a site (site.h). Every now and then (`reload`) the file,
// and every file that it brings in, is read again: when something changed and makes sense, another
// site is made, serves, and the former one ends; what makes no sense is told, and the former stays.
// Health, readiness and numbers are answered at ports of their own, which stay the same from site
// to site. At a stop the server says that it is not ready, goes on for `lameduck`, and answers what
// has arrived before it closes its sockets.
//
// Another process may take over at any time (handover.h): then this one closes what it has and
// waits for its end, so that who supervises it does not start it again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "store/kube_access.h"
#include "store/kube_reader.h"

namespace weft::dns {

struct ProgramOptions {
  std::string corefile = "Corefile";
  std::uint16_t port = 53;
  unsigned workers = 1;
  /// Manifests that are the cluster, in the API's place; empty: the API.
  std::string store_folder = {};
  /// Where names are kept for the next start; empty: nowhere.
  std::string snapshot_folder = {};
  /// Shared with others of this process: for what says of no API of its own. May be nullptr.
  std::shared_ptr<KubeReader> reader = {};
  /// Whether an instance that has the ports is asked for its sockets.
  bool takes_over = false;
  /// Of the node alone, put there and kept (node_local.h); where no `bind` stands they are served.
  std::vector<IpAddress> local_addresses = {};
  /// Whether they stay when this ends, so that queries are refused.
  bool keeps_local_addresses = false;
  Environment environment = {};
  /// Called once, when all names are known; may be empty.
  std::function<void()> ready = {};
};

/// Until a stop. Fails when the Corefile cannot be acted on, or a port is taken.
Status run_program(const ProgramOptions& options, const std::stop_token& stop);

}  // namespace weft::dns
