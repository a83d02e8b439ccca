// lease_store.h: where the cluster's subnet leases and its net-conf.json are kept.
//
// One interface, one implementation a kind of store; Kubernetes, which gives out the subnets
// itself, is a source only (kube_store.h). Every answer is whole or an Error: an
// outage, garbage or a half-read list is never an empty cluster. Changes of a lease are
// conditional on the version that the caller has seen, so that a node that slept past its
// expiry cannot overwrite the node that got its subnet meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cluster/lease.h"

namespace weft {

/// Follows the leases of a store on a thread of its own until it is destroyed.
class LeaseWatch {
 public:
  virtual ~LeaseWatch() = default;

  /// The leases as last read completely; nullptr until the first complete read. While the
  /// store cannot be read the last view stays.
  virtual std::shared_ptr<const LeaseView> view() const = 0;

  /// What keeps the view from being current, or success. Callable from any thread. The Error's
  /// number is EAGAIN while the store is read for the first time.
  virtual Status health() const = 0;

  /// Follows on over a new connection, where there is one: the old one may come from an address
  /// that this machine has no longer, and hears nothing until TCP gives it up. Callable from any
  /// thread.
  virtual void reconnect() {}
};

/// Where a node reads what its overlay is and who its peers are.
class LeaseSource {
 public:
  /// Called on the watch's own thread after its view or its health changed. Must return soon.
  using Changed = std::function<void()>;

  virtual ~LeaseSource() = default;

  /// "etcd at 127.0.0.1:2379" or "directory /var/lib/weft/store", for log lines.
  virtual std::string describe() const = 0;

  /// The text of net-conf.json; nothing when nobody has written one yet.
  virtual Result<std::optional<std::string>> network_config() = 0;
  /// Where somebody has to write it: for log lines.
  virtual std::string config_place() const { return describe(); }

  /// Starts following. The source must outlive the watch.
  virtual std::unique_ptr<LeaseWatch> watch(Changed changed) = 0;
};

/// A source out of which a node also takes a subnet of its own.
class LeaseStore : public LeaseSource {
 public:
  /// Every lease that has not expired, and what could not be read as one.
  virtual Result<LeaseView> list() = 0;

  /// Creates a lease that lives for `ttl`, or a reservation when there is none. Returns the
  /// lease as stored, or nothing when somebody holds the key already.
  virtual Result<std::optional<Lease>> create(const LeaseKey& key,
                                              const LeaseAttributes& attributes,
                                              std::optional<std::chrono::seconds> ttl) = 0;

  /// Rewrites a lease whose version is still `seen.version`, with a fresh `ttl`, or as a
  /// reservation when there is none. Returns it as stored, or nothing when it has changed or
  /// gone since.
  virtual Result<std::optional<Lease>> replace(const Lease& seen, const LeaseAttributes& attributes,
                                               std::optional<std::chrono::seconds> ttl) = 0;

  /// When the store forgets this lease: what create() and replace() said, or the answer of the
  /// store when the lease comes out of list() or a view without it. Nothing for a reservation
  /// and for a lease that is gone or no longer at `lease.version`.
  virtual Result<std::optional<UnixSeconds>> expiry(const Lease& lease) = 0;

  /// Removes a lease whose version is still `seen.version`; false when it has changed since.
  /// One that is gone already is success.
  virtual Result<bool> remove(const Lease& seen) = 0;
};

}  // namespace weft
