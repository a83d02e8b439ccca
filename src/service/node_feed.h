// node_feed.h: where stores put the Node that the proxy works for.
//
// Beside ServiceFeed, and of the same kind: a sink for the Kubernetes API and one for manifests. A
// Node that cannot be read counts as what it was. Every member may be called from any thread, each
// sink from one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "service/own_node.h"
#include "store/kube_list_watch.h"
#include "store/object_folder.h"

namespace weft::service {

class NodeFeed {
 public:
  /// Nodes of other names are passed over.
  explicit NodeFeed(std::string name);
  ~NodeFeed();

  // They live as long as the feed.
  KubeSink& kube_nodes();
  ObjectSink& nodes();  ///< manifests

  const std::string& name() const { return name_; }
  /// Whether the Nodes have been listed.
  bool listed() const;
  /// As it was last seen: also when it is gone, since it may come again. Nothing before.
  std::optional<OwnNode> node() const;
  /// Whether there is a Node now, and it is eligible.
  bool eligible() const;

 private:
  class Sink;
  struct State {
    bool listed = false;
    bool present = false;
    bool in_list = false;  // of the list that comes in
    std::optional<OwnNode> node = {};
  };

  void put(const std::string& name, const Result<Node>& node);

  const std::string name_;
  LockGuarded<State> state_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace weft::service
