#include "service/node_feed.h"

#include <utility>

#include "base/log.h"

namespace weft::service {

class NodeFeed::Sink : public KubeSink, public ObjectSink {
 public:
  explicit Sink(NodeFeed& feed) : feed_(feed) {}

  // Both of them.
  void begin() override {
    feed_.state_.with([](State& state) { state.in_list = false; });
  }

  void list_item(const KubeObject& object) override { put(object); }
  void commit() override {
    feed_.state_.with([](State& state) {
      state.listed = true;
      state.present = state.in_list;
    });
  }
  bool put(const KubeObject& object) override {
    const auto before = feed_.node();
    feed_.put(object.meta().name, Node::parse(object.message(), {}));
    return feed_.node() != before;
  }
  bool remove(const KubeMeta& meta) override { return meta.name == feed_.name_ && remove_node(); }

  void end() override { commit(); }
  void put(const ObjectKey& key, const Json& object) override {
    feed_.put(key.name, Node::read(object));
  }
  void remove(const ObjectKey& key) override {
    if (key.name == feed_.name_) remove_node();
  }

 private:
  bool remove_node() {
    return feed_.state_.with([](State& state) { return std::exchange(state.present, false); });
  }

  NodeFeed& feed_;
};

NodeFeed::NodeFeed(std::string name)
    : name_(std::move(name)), sink_(std::make_unique<Sink>(*this)) {}

NodeFeed::~NodeFeed() = default;

KubeSink& NodeFeed::kube_nodes() {
  return *sink_;
}
ObjectSink& NodeFeed::nodes() {
  return *sink_;
}

void NodeFeed::put(const std::string& name, const Result<Node>& node) {
  if (name != name_) return;
  if (!node) spdlog::warn("Node {}: {}", name, node.error().text());
  state_.with([&](State& state) {
    state.present = state.in_list = true;
    if (node) state.node = own_node(*node);
  });
}

bool NodeFeed::listed() const {
  return state_.with([](const State& state) { return state.listed; });
}

std::optional<OwnNode> NodeFeed::node() const {
  return state_.with([](const State& state) { return state.node; });
}

bool NodeFeed::eligible() const {
  return state_.with([](const State& state) {
    return state.present && state.node.has_value() && state.node->eligible;
  });
}

}  // namespace weft::service
