// uplink_keeper.h: the uplink that this node has now, out of what the kernel holds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "base/result.h"
#include "kernel/rtnetlink.h"
#include "overlay/uplink.h"

namespace weft::overlay {

/// The links, addresses and main tables of the calling thread's network namespace.
Result<NodeNetwork> read_node_network(kernel::Rtnetlink& rtnetlink,
                                      const std::vector<Family>& families);

/// Callable from any thread, but refresh() by one alone.
class UplinkKeeper {
 public:
  UplinkKeeper(UplinkOptions options, std::vector<Family> families)
      : families_(std::move(families)), options_(options), taken_(std::move(options)) {}

  /// The first choice. Fails when no device fits: a person is needed.
  Status choose(kernel::Rtnetlink& rtnetlink);

  Uplink current() const { return uplink_.copy(); }
  bool has_link(const std::string& name) const;

  /// What is said of the choice from now on: the cluster knows this node by another address.
  /// Returns whether that is news, for the next refresh() to act on.
  bool ask_for(const UplinkOptions& options);

  /// Finds the chosen devices again, whose numbers, addresses and MTU may change; chooses anew
  /// where something else is asked for, and stays with what it has where that cannot be had.
  /// Returns whether peers have to be told.
  Result<bool> refresh(kernel::Rtnetlink& rtnetlink);

 private:
  Result<Uplink> choice(kernel::Rtnetlink& rtnetlink, const UplinkOptions& options) const;
  Result<Uplink> found_again(kernel::Rtnetlink& rtnetlink, const Uplink& chosen) const;

  const std::vector<Family> families_;
  LockGuarded<UplinkOptions> options_;  // as asked for
  UplinkOptions taken_;                 // as the last choice took them: of refresh()
  LockGuarded<Uplink> uplink_;
};

}  // namespace weft::overlay
