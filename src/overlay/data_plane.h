// data_plane.h: one backend at work on one node: how pods' packets get from node to node.
//
// One implementation a backend. The reconciler keeps what all of them share: the uplink, the
// choice of peers, subnet.env, the rules, the report. What is told here is all that it asks.
//
// A data plane acts in the network namespace of the thread that opened it, on the thread of the
// repair loop. Two calls may come from other threads at any time, and say so.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "kernel/rtnetlink.h"
#include "overlay/backend_counter.h"
#include "overlay/net_conf.h"
#include "overlay/pass_report.h"
#include "overlay/peers.h"
#include "overlay/uplink.h"

namespace weft::overlay {

/// What peers have to know beside the address, as JSON text; no entry for a family without.
using BackendData = std::map<Family, std::string>;

class DataPlane {
 public:
  /// What one pass works with; nothing of it is kept beyond the call.
  struct Pass {
    const Lease& own;
    const LeaseView& leases;
    const Peers& peers;  ///< of `leases`, chosen by peer_rules()
    const Uplink& uplink;
    kernel::Rtnetlink& rtnetlink;
    PassReport& report;  ///< takes what was changed and what could not be
  };

  virtual ~DataPlane() = default;

  /// The names of the devices that it makes: an event of one, also of a deleted one, calls for
  /// a pass. Callable from any thread.
  virtual std::vector<std::string> device_names() const { return {}; }

  /// What this node publishes. `before` is the lease that the node published earlier, if there
  /// is one: what peers remember of it is kept. Callable from any thread.
  virtual BackendData publish(const std::optional<Lease>& /*before*/) { return {}; }

  /// What its data path has counted, those of one name in a row. Callable from any thread.
  virtual std::vector<BackendCounter> counters() const { return {}; }

  /// The MTU of a pod behind this uplink.
  virtual std::uint32_t pod_mtu(const Uplink& uplink) const = 0;

  /// Which leases are peers; nothing when the backend has no use for any.
  virtual std::optional<PeerRules> peer_rules() const = 0;

  /// Brings the kernel, or whatever carries the packets, to what the pass says. Called after
  /// every change and every drift: what is right already is left alone. Returns the present
  /// numbers of its devices, whose routes, addresses and neighbours it wants to hear of.
  virtual std::vector<LinkIndex> settle(const Pass& pass) = 0;
};

/// The data plane of the configured backend. Fails when this node cannot have it.
Result<std::unique_ptr<DataPlane>> open_data_plane(const NetConf& conf,
                                                   kernel::Rtnetlink& rtnetlink);

}  // namespace weft::overlay
