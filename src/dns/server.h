// server.h: the sockets of a DNS server and the threads that serve them.
//
// Theory of operation. Each worker is one thread with sockets of its own: a UDP socket and a TCP
// listener at every address (SO_REUSEPORT lets the kernel spread clients over the workers), and the
// connections that it has accepted. It waits for all of them together, answers what has come, and
// shares nothing with the others. A query is answered where it is read: nothing is queued but what
// the kernel queues. An answer that its handler does not have at once leaves when it is there; the
// handler's own descriptor tells the worker that it has work of that kind.
//
// A second server may be started at the same addresses before the first one ends, so that a
// change of the configuration loses nothing: what a worker has in its sockets' queues is answered
// before it closes them, and what its handler has promised is waited for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dns/handler.h"
#include "dns/listen_address.h"
#include "dns/tcp_pool.h"

namespace weft::dns {

struct ServerOptions {
  std::vector<ListenAddress> addresses = {};
  unsigned workers = 1;
  TcpLimits tcp = {};
};

class Server {
 public:
  /// One handler for each worker, called on its thread alone.
  using MakeHandler = std::function<Result<std::unique_ptr<Handler>>(Replies& replies)>;

  /// Listens at all addresses, or at none.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               const MakeHandler& make_handler);
  /// Answers what has arrived and closes all sockets. May take as long as a client waits.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// With the ports that the kernel has chosen where 0 was asked for.
  const std::vector<ListenAddress>& addresses() const { return addresses_; }

 private:
  class Worker;
  Server();

  std::vector<ListenAddress> addresses_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace weft::dns
