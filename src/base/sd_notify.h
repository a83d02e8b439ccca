// sd_notify.h: what a service manager is told of a daemon (sd_notify(3)).
//
// The protocol is one datagram to the socket that NOTIFY_SOCKET names; libsystemd is not needed
// for it. Without the variable nobody listens, and nothing is done.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"

namespace weft {

class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment,
  /// so that no program started from here speaks in our name. Not while other threads run.
  static ServiceManager from_environment();

  /// READY=1: the start is over.
  Status ready() const { return send("READY=1"); }
  /// STOPPING=1: the end has begun.
  Status stopping() const { return send("STOPPING=1"); }
  /// STATUS=...: one line for `systemctl status`.
  Status status(const std::string& line) const;
  /// WATCHDOG=1: still alive.
  Status alive() const { return send("WATCHDOG=1"); }

  /// After so long without alive() the manager ends the daemon; nothing: it does not watch.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  Status send(const std::string& message) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace weft
