// server.h: the sockets of a DNS server and the threads that serve them.
//
// Theory of operation. Each worker is one thread with sockets of its own: a UDP socket and a TCP
// listener at every address (SO_REUSEPORT lets the kernel spread clients over the workers), and the
// connections that it has accepted. It waits for all of them together, answers what has come, and
// shares nothing with the others. A query is answered where it is read: nothing is queued but what
// the kernel queues. An answer that its handler does not have at once leaves when it is there; the
// handler's own descriptor tells the worker that it has work of that kind.
//
// A second server may go on with the sockets of the first one (open_sockets.h), so that a change of
// the configuration, or of the program, loses nothing: what is in their queues is answered by
// either, and what a handler of the first has promised is waited for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dns/handler.h"
#include "dns/listen_address.h"
#include "dns/open_sockets.h"
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

  /// Listens at all addresses, or at none; where there are `inherited` sockets, with those.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               const MakeHandler& make_handler,
                                               OpenSockets& inherited);
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               const MakeHandler& make_handler) {
    OpenSockets none;
    return start(options, make_handler, none);
  }
  /// Answers what has arrived and closes all sockets. May take as long as a client waits.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// With the ports that the kernel has chosen where 0 was asked for.
  const std::vector<ListenAddress>& addresses() const { return addresses_; }

  /// Copies, for another server to go on with.
  OpenSockets sockets() const;
  /// Another one does: what comes from now on is not this one's.
  void leave_sockets();

 private:
  class Worker;
  Server();

  std::vector<ListenAddress> addresses_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace weft::dns
