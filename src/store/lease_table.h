// lease_table.h: the entries of a store as they come in, and the view that is made of them.
//
// A watch edits single entries; the view, a copy of all of them, is made when somebody asks
// for it. So a burst of 5,000 changes costs as many views as the reader takes, not 5,000.
// All members may be called from any thread.
#pragma once

#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "base/health.h"
#include "base/lock_guarded.h"
#include "base/result.h"
#include "cluster/lease.h"

namespace weft {

/// What stands under one name of the store.
using LeaseEntry = std::variant<Lease, BrokenLease>;
/// By the last part of the key: "10.5.52.0-24".
using LeaseEntries = std::map<std::string, LeaseEntry>;

/// The key that a name stands for. Refuses another spelling of it ("10.5.52.0-024"), since
/// two names for one subnet would shadow each other.
Result<LeaseKey> parse_lease_name(const std::string& name);

LeaseView make_view(const LeaseEntries& entries);

class LeaseTable {
 public:
  /// Takes over a complete reading of the store.
  void assign(LeaseEntries entries);
  /// Changes entries of a table that has been assigned once. `change` must not do I/O.
  void edit(const std::function<void(LeaseEntries&)>& change);
  /// The same for a look at them.
  void read(const std::function<void(const LeaseEntries&)>& use) const;
  /// nullptr until the first assign().
  std::shared_ptr<const LeaseView> view() const;

  Health& health() { return health_; }
  const Health& health() const { return health_; }

 private:
  struct State {
    bool complete = false;
    LeaseEntries entries;
    std::shared_ptr<const LeaseView> view;  // nullptr when an edit has outdated it
  };
  mutable LockGuarded<State> state_;
  Health health_{Error{.what = "the leases have not been read yet", .number = EAGAIN}};
};

}  // namespace weft
