// handover.h: a server's sockets go from one process to the next, so that an upgrade loses no
// query.
//
// Theory of operation. A server that listens has a door for each of its addresses: an abstract unix
// socket of that name, which is seen in its network namespace alone and is gone when the process
// is, however it ends. The next process knocks when it is ready to answer. It gets copies of all
// sockets: what waits in their queues, and connections that nobody has accepted yet, are there for
// whichever process is quicker. Once the next one answers it says so, and the former stops reading.
//
//   next: "take"   former: one message a socket, "udp 10.96.0.10 53" with the descriptor, then
//   "end" next: "mine"   (or closes, and nothing has changed)
//
// Only processes of the same user, or root, are let in (SO_PEERCRED).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "dns/open_sockets.h"

namespace weft::dns {

/// The side that has the sockets. Answers on a thread of its own.
class HandoverDoors {
 public:
  struct Owner {
    /// Copies of all sockets.
    std::function<OpenSockets()> sockets;
    /// Somebody else answers from now on.
    std::function<void()> taken;
  };
  explicit HandoverDoors(Owner owner);
  ~HandoverDoors();
  HandoverDoors(const HandoverDoors&) = delete;
  HandoverDoors& operator=(const HandoverDoors&) = delete;

  /// Has doors for these addresses and no others. EADDRINUSE when another server has one.
  Status open(const std::vector<ListenAddress>& addresses);

 private:
  void run(const std::stop_token& stop);
  std::vector<int> descriptors();
  void let_in(int door);
  void wake() const;

  const Owner owner_;
  Fd wake_;
  std::mutex mutex_;
  std::map<ListenAddress, Fd> doors_;  // guarded by mutex_
  std::jthread thread_;                // last, so that it is joined before the rest is gone
};

/// The side that takes them.
class Takeover {
 public:
  /// Knocks for each of the addresses. Where nobody has a door there is nothing to be had, which is
  /// success. Fails where another user has one: sockets of strangers are not taken.
  static Result<Takeover> ask(const std::vector<ListenAddress>& wanted);

  OpenSockets& sockets() { return sockets_; }
  /// Whether somebody has given anything.
  bool has_former() const { return !formers_.empty(); }
  /// Says that this process answers now, and waits until the former ones have taken it in.
  void confirm();

 private:
  OpenSockets sockets_;
  std::vector<Fd> formers_;
};

}  // namespace weft::dns
