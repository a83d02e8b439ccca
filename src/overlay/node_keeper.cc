#include "overlay/node_keeper.h"

#include <cerrno>
#include <utility>

#include "overlay/node_plan.h"

namespace weft::overlay {
namespace {

using std::chrono::milliseconds;

// Everything that happens comes as a change of the Node, and a change calls for a step.
constexpr milliseconds kAtRest = std::chrono::minutes(5);
// A condition that somebody sets against us: a cloud's route controller sets it until its
// routes are there.
constexpr std::chrono::seconds kDeclareAgain(10);
constexpr std::chrono::minutes kTellAgain(10);

std::string words(const Annotations& edits) {
  std::string text;
  for (const auto& [suffix, value] : edits) text += (text.empty() ? "" : ", ") + suffix;
  return text;
}

// What the Node published before this agent: peers remember it.
std::optional<Lease> published_before(const Node& node, const LeaseKey& key) {
  auto attributes = published_by_node(node);
  if (!attributes) return std::nullopt;
  return Lease{.node = node.name, .key = key, .attributes = *std::move(attributes)};
}

}  // namespace

milliseconds NodeKeeper::step(const std::shared_ptr<const LeaseView>& /*view*/, Time now) {
  Status status;
  milliseconds at_rest = kAtRest;
  if (!store_.listed()) {
    status = store_.health();
  } else if (const auto node = store_.own_node(); node == nullptr) {
    status = fail("there is no Node " + store_.node_name() + " in the cluster",
                  "the kubelet makes it; check NODE_NAME");
  } else {
    hooks_.own_node(*node);
    status = keep(*node, now);
    const bool declaring = up_ && declare_available_ && node->network_unavailable != "False";
    if (declaring) at_rest = kDeclareAgain;
    // Everything is done, but whether it is still right cannot be seen.
    if (status) status = store_.health();
  }
  return settle(status, "node " + store_.node_name(), at_rest);
}

Status NodeKeeper::keep(const Node& node, Time now) {
  auto key = own_subnet_of_node(node, conf_.networks);
  if (!key) {
    tell_cluster(key.error().text(), now);
    return Failure(std::move(key).error());
  }
  const auto before = lease();
  const Lease own{.node = node.name,
                  .key = *key,
                  .attributes = hooks_.attributes(published_before(node, *key))};
  if (!before || *before != own) {
    if (!before || before->key != own.key)
      spdlog::info("lease {}: the cluster has given it to node {}", own.key.describe(), node.name);
    hold(own);
  }
  RETURN_IF_ERROR(publish(node, own));
  return declare_available(node, now);
}

Status NodeKeeper::publish(const Node& node, const Lease& own) {
  // The answer to a patch may be here before the watch shows the Node as patched.
  if (published_on_ == node.version && published_ == own) return {};
  const auto previous = published_on_.empty() ? hooks_.facts().previous : published_.key;
  const bool moved = previous && *previous != own.key;
  const Annotations edits = annotation_edits(node, own.attributes, moved);
  if (!edits.empty()) {
    RETURN_IF_ERROR(store_.annotate(edits, stop_));
    spdlog::info("node {}: annotations written: {}", node.name, words(edits));
  }
  published_ = own;
  published_on_ = node.version;
  return {};
}

Status NodeKeeper::declare_available(const Node& node, Time now) {
  if (!up_ || !declare_available_ || node.network_unavailable == "False") return {};
  if (declared_on_ == node.uid && now < declare_again_) return {};
  RETURN_IF_ERROR(
      store_.declare_network_available(std::chrono::floor<std::chrono::seconds>(now), stop_));
  declared_on_ = node.uid;
  declare_again_ = now + kDeclareAgain;
  spdlog::info("node {}: condition NetworkUnavailable set to False", node.name);
  return {};
}

void NodeKeeper::tell_cluster(const std::string& trouble, Time now) {
  if (trouble == told_ && now < tell_again_) return;
  told_ = trouble;
  tell_again_ = now + kTellAgain;
  // flannel's manifest does not allow events; the log has it as well.
  const Status told =
      store_.warn("PodNetworkWaits", trouble, std::chrono::floor<std::chrono::seconds>(now), stop_);
  if (!told) spdlog::debug("no event on node {}: {}", store_.node_name(), told.error().text());
}

}  // namespace weft::overlay
