// node_keeper.h: the lease of a node to which a Kubernetes cluster gives its subnet.
//
// Nothing is taken or renewed: the subnet is the Node's podCIDR, the rest is published in the
// Node's annotations. A step compares them with what should stand there and writes what
// differs, in one patch; so a changed address, a changed or removed annotation and a Node that
// was deleted and made anew are all the same case. Where the podCIDR is missing, or not of the
// pod network, it waits and says so: in the log, in health() and in an event on the Node.
//
// The Node's condition NetworkUnavailable becomes False once the kernel has the peers, and is
// set again until it stands; at a stop it stays.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "overlay/lease_keeper.h"
#include "overlay/net_conf.h"
#include "store/kube_store.h"

namespace weft::overlay {

class NodeKeeper : public LeaseKeeper {
 public:
  /// `declare_available`: --set-node-network-unavailable. `store` and `conf` outlive *this.
  /// `stop` ends a call of the API that is under way.
  NodeKeeper(KubeStore& store, const NetConf& conf, bool declare_available, std::stop_token stop,
             Hooks hooks)
      : LeaseKeeper(std::move(hooks)),
        store_(store),
        conf_(conf),
        declare_available_(declare_available),
        stop_(std::move(stop)) {}

  std::chrono::milliseconds step(const std::shared_ptr<const LeaseView>& view,
                                 std::chrono::system_clock::time_point now) override;
  void network_is_up() override { up_ = true; }

 private:
  using Time = std::chrono::system_clock::time_point;

  Status keep(const Node& node, Time now);
  Status publish(const Node& node, const Lease& lease);
  Status declare_available(const Node& node, Time now);
  void tell_cluster(const std::string& trouble, Time now);

  KubeStore& store_;
  const NetConf& conf_;
  const bool declare_available_;
  const std::stop_token stop_;
  std::atomic<bool> up_{false};
  // Of the thread of step():
  Lease published_ = {};           // by the last patch, to which the API server agreed
  std::string published_on_ = {};  // the version of the Node before that patch
  std::string declared_on_ = {};   // the uid of the Node whose condition was set last
  Time declare_again_ = {};        // not before, on the same Node
  std::string told_ = {};          // the trouble of the last event
  Time tell_again_ = {};
};

}  // namespace weft::overlay
