// proxy_mode.h: how services get into the kernel: what each mode of the proxy does.
//
// A mode is told what has changed, planned already (service_plan.h), and writes it down in its own
// language. It is used by one thread, and acts in the namespace in which it was opened. Which modes
// there are: mode_choice.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/monitor.h"
#include "service/planned_service.h"
#include "service/rule_options.h"

namespace weft::service {

class ProxyMode {
 public:
  virtual ~ProxyMode() = default;

  /// As --proxy-mode spells it.
  virtual std::string_view name() const = 0;

  /// All services that there are. Once, before all else; again after an error.
  virtual Status start(const std::vector<PlannedService>& services) = 0;
  /// What has changed. An error says that the kernel may not be as it should; repair() mends it.
  virtual Status apply(const std::vector<PlannedService>& changed) = 0;
  /// Other options for the same families. An error as of apply().
  virtual Status set_options(const std::vector<RuleOptions>& families) = 0;
  /// Makes the kernel what it should be. Returns what was done, in words; none when all was right.
  virtual Result<std::vector<std::string>> repair() = 0;
  /// Takes everything away, and with it all services.
  virtual Status remove() = 0;

  /// Whether somebody else's change is one of what this mode keeps in the kernel. From any thread.
  virtual bool is_concerned(const kernel::KernelEvent& event) const = 0;
  /// Of the nftables socket that writes, for the monitor: what it does is no news. 0: none.
  virtual Result<std::uint32_t> port() const = 0;
  /// Whether only the lock file of iptables tells of others' changes (kernel/legacy_watch.h).
  virtual bool needs_legacy_watch() const { return false; }

 protected:
  ProxyMode() = default;
  ProxyMode(const ProxyMode&) = default;
  ProxyMode& operator=(const ProxyMode&) = default;
  ProxyMode(ProxyMode&&) = default;
  ProxyMode& operator=(ProxyMode&&) = default;
};

}  // namespace weft::service
