// legacy_watch.h: notices changes of iptables-legacy.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/fd.h"
#include "base/result.h"

namespace weft::kernel {

/// Tells when somebody has used iptables-legacy, which sends no netlink event: each change takes
/// the lock file, on whose closing this waits. On a thread of its own, until destroyed.
class LegacyWatch {
 public:
  static constexpr const char* kLockFile = "/run/xtables.lock";

  /// Creates the lock file when it is not there, as iptables does. `changed` is called on the
  /// watch's thread and must return soon. Our own restore() is reported as well.
  static Result<std::unique_ptr<LegacyWatch>> start(std::string lock_file,
                                                    std::function<void()> changed);
  ~LegacyWatch();
  LegacyWatch(const LegacyWatch&) = delete;
  LegacyWatch& operator=(const LegacyWatch&) = delete;

 private:
  LegacyWatch() = default;
  Status watch_file();
  void run(const std::stop_token& stop);
  void read_events();

  std::string lock_file_;
  std::function<void()> changed_;
  Fd inotify_;
  Fd wake_;              // an eventfd that ends the wait
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft::kernel
