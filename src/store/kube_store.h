// kube_store.h: the leases of a cluster whose Nodes carry them (cluster/node.h).
//
// All Nodes are followed; of a peer only its lease stays in memory, of this node's own Node
// everything that cluster/node.h knows. Written is only that one: its annotations and its
// condition, by patches of its status.
//
// RBAC, as in flannel's manifest: nodes list and watch, nodes/status patch, pods get (only
// where NODE_NAME is not set). Events are created where that is allowed, and left out else.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "base/unix_time.h"
#include "cluster/node.h"
#include "store/kube_client.h"
#include "store/kube_reader.h"
#include "store/kube_table.h"
#include "store/lease_store.h"

namespace weft {

struct KubeStoreOptions {
  std::shared_ptr<KubeReader> reader = {};  ///< required
  AnnotationPrefix prefix = {};
  std::string net_config_path = "/etc/kube-flannel/net-conf.json";
  /// The name of this node's Node; where it is empty, the Node of this pod's.
  std::string node_name = {};
  std::string pod_namespace = {};
  std::string pod_name = {};
  KubeListWatchOptions nodes = {.path = kNodesPath};
};

/// What stays of a Node.
struct NodeEntry {
  std::variant<std::monostate, Lease, BrokenLease> lease = {};  ///< monostate: of no overlay
  std::shared_ptr<const Node> own = {};  ///< of this node's own, all of it; else nullptr
  bool operator==(const NodeEntry& other) const;
};

/// The peers: every lease but the own one. Where two Nodes have the same subnet, the older one
/// has it and the other is among the broken.
LeaseView view_of_nodes(const std::map<std::string, NodeEntry>& nodes);

class KubeStore : public LeaseSource {
 public:
  /// Asks nobody yet.
  explicit KubeStore(KubeStoreOptions options);
  KubeStore(const KubeStore&) = delete;
  KubeStore& operator=(const KubeStore&) = delete;
  ~KubeStore() override;

  /// Finds out the name of the own Node and starts to follow all of them; after a success it
  /// does nothing. Not for two threads at once.
  Status join(const std::stop_token& stop);
  /// REQUIRES join().
  const std::string& node_name() const { return node_name_; }

  /// The own Node as last seen; nullptr before the first whole list and when there is none.
  std::shared_ptr<const Node> own_node() const;
  /// Whether a whole list has been read.
  bool listed() const;
  Status health() const;
  /// Counts what has happened to the Nodes and the health.
  std::uint64_t news() const;
  /// Waits until something has happened since news() was `seen`, or for the time to be over.
  void wait_for_news(std::uint64_t seen, const std::stop_token& stop,
                     std::chrono::milliseconds longest);

  /// Writes annotations of the own Node, by their suffixes, all in one patch. REQUIRES join().
  Status annotate(const Annotations& edits, const std::stop_token& stop);
  /// Sets the own Node's condition NetworkUnavailable to False. REQUIRES join().
  Status declare_network_available(UnixSeconds now, const std::stop_token& stop);
  /// Creates a warning event on the own Node. REQUIRES join().
  Status warn(const std::string& reason, const std::string& message, UnixSeconds now,
              const std::stop_token& stop);

  std::string describe() const override { return client_.describe(); }
  Result<std::optional<std::string>> network_config() override;
  std::string config_place() const override { return options_.net_config_path; }
  std::unique_ptr<LeaseWatch> watch(Changed changed) override;

 private:
  class Watch;
  NodeEntry decode(const KubeMeta& meta, std::string_view object) const;
  Status patch(const std::string& body, const std::stop_token& stop);
  void tell();

  const KubeStoreOptions options_;
  const KubeClient& client_;
  std::string node_name_;
  KubeTable<NodeEntry> nodes_;
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  std::uint64_t news_count_ = 0;  // guarded by mutex_
  Changed changed_;               // guarded by mutex_: of the watch that there is
  std::optional<KubeFollower> follower_;
};

/// The name of the Node on which a pod runs, out of the pod's JSON.
Result<std::string> node_of_pod(std::string_view pod);

}  // namespace weft
