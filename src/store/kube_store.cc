#include "store/kube_store.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/unix_time.h"
#include "store/kube_event.h"

namespace weft {
namespace {

// A name of the API's (RFC 1123) goes into a path as it is; nothing else does.
Status check_name(const std::string& what, const std::string& name) {
  if (!name.empty() && name.size() <= 253 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos)
    return {};
  return fail("the name of the " + what + ", " + shown(name) + ", is none",
              "set NODE_NAME from spec.nodeName, or POD_NAME and POD_NAMESPACE");
}

// Who has which subnet. None of them overlap, so only the neighbours in order can be in the way.
class SubnetHolders {
 public:
  // The holder of an overlapping subnet; nullptr when there is none, and the lease is in.
  const Lease* add(const Lease& lease) {
    for (const auto& subnet : {lease.key.ipv4, lease.key.ipv6})
      if (subnet)
        if (const Lease* holder = find(*subnet)) return holder;
    for (const auto& subnet : {lease.key.ipv4, lease.key.ipv6})
      if (subnet) holders_.emplace(*subnet, &lease);
    return nullptr;
  }

 private:
  const Lease* find(const Prefix& subnet) const {
    const auto after = holders_.lower_bound(subnet);
    if (after != holders_.end() && after->first.overlaps(subnet)) return after->second;
    if (after == holders_.begin()) return nullptr;
    const auto before = std::prev(after);
    return before->first.overlaps(subnet) ? before->second : nullptr;
  }

  std::map<Prefix, const Lease*> holders_;
};

}  // namespace

bool NodeEntry::operator==(const NodeEntry& other) const {
  const bool same_own =
      own == nullptr || other.own == nullptr ? own == other.own : *own == *other.own;
  return same_own && lease == other.lease;
}

LeaseView view_of_nodes(const std::map<std::string, NodeEntry>& nodes) {
  LeaseView view;
  std::vector<const Lease*> by_age;
  for (const auto& [name, entry] : nodes) {
    if (const auto* broken = std::get_if<BrokenLease>(&entry.lease)) view.broken.push_back(*broken);
    if (const auto* lease = std::get_if<Lease>(&entry.lease)) by_age.push_back(lease);
  }
  std::stable_sort(by_age.begin(), by_age.end(),
                   [](const Lease* one, const Lease* other) { return one->since < other->since; });
  SubnetHolders holders;
  for (const Lease* lease : by_age) {
    if (const Lease* older = holders.add(*lease))
      view.broken.push_back({"node " + lease->node, "its podCIDR " + lease->key.describe() +
                                                        " overlaps " + older->key.describe() +
                                                        " of the older node " + older->node});
    else
      view.leases.emplace(lease->key, *lease);
  }
  return view;
}

Result<std::string> node_of_pod(std::string_view pod) {
  ASSIGN_OR_RETURN(const Json json, parse_json(pod));
  std::string node;
  ObjectReader reader(json, "a Pod");
  if (const Json* spec = reader.object("spec")) {
    ObjectReader spec_reader(*spec, "a Pod's spec");
    spec_reader.read("nodeName", node);
    RETURN_IF_ERROR(spec_reader.finish());
  }
  RETURN_IF_ERROR(reader.finish());
  if (node.empty()) return fail("the pod is on no node");
  return node;
}

// The view, made anew when somebody asks for it after a change.
class KubeStore::Watch : public LeaseWatch {
 public:
  explicit Watch(KubeStore& store) : store_(store) {}
  ~Watch() override {
    const std::lock_guard lock(store_.mutex_);
    store_.changed_ = nullptr;
  }
  std::shared_ptr<const LeaseView> view() const override {
    return cache_.with([&](Cache& cache) {
      const auto generation = store_.nodes_.generation();
      if (cache.view != nullptr && cache.generation == generation) return cache.view;
      store_.nodes_.read([&](const auto& nodes) {
        cache.view = std::make_shared<const LeaseView>(view_of_nodes(nodes));
        cache.generation = generation;
      });
      return cache.view;
    });
  }
  Status health() const override { return store_.health(); }
  void reconnect() override {
    if (store_.follower_) store_.follower_->reconnect();
  }

 private:
  struct Cache {
    std::uint64_t generation = 0;
    std::shared_ptr<const LeaseView> view;
  };
  KubeStore& store_;
  mutable LockGuarded<Cache> cache_;
};

KubeStore::KubeStore(KubeStoreOptions options)
    : options_(std::move(options)),
      client_(options_.reader->client()),
      nodes_(
          [this](const KubeMeta& meta, std::string_view object) { return decode(meta, object); }) {}

KubeStore::~KubeStore() = default;

Status KubeStore::join(const std::stop_token& stop) {
  if (follower_) return {};
  std::string name = options_.node_name;
  if (name.empty()) {
    RETURN_IF_ERROR(check_name("pod", options_.pod_name));
    RETURN_IF_ERROR(check_name("pod's namespace", options_.pod_namespace));
    const std::string path =
        "/api/v1/namespaces/" + options_.pod_namespace + "/pods/" + options_.pod_name;
    ASSIGN_OR_RETURN(const std::string pod, client_.call({.path = path}, stop));
    ASSIGN_OR_RETURN(name, node_of_pod(pod));
  }
  RETURN_IF_ERROR(check_name("node", name));
  node_name_ = std::move(name);
  follower_.emplace(*options_.reader, options_.nodes, nodes_, [this] { tell(); });
  return {};
}

NodeEntry KubeStore::decode(const KubeMeta& meta, std::string_view object) const {
  NodeEntry entry;
  auto node = Node::parse(object, options_.prefix);
  if (!node) {
    entry.lease = BrokenLease{"node " + meta.name, node.error().text()};
    return entry;
  }
  if (meta.name == node_name_) {
    entry.own = std::make_shared<const Node>(*std::move(node));
    return entry;
  }
  auto lease = lease_of_node(*node);
  if (!lease)
    entry.lease = BrokenLease{"node " + meta.name, lease.error().text()};
  else if (*lease)
    entry.lease = **std::move(lease);
  return entry;
}

void KubeStore::tell() {
  const std::lock_guard lock(mutex_);
  ++news_count_;
  news_.notify_all();
  if (changed_) changed_();
}

std::uint64_t KubeStore::news() const {
  const std::lock_guard lock(mutex_);
  return news_count_;
}

void KubeStore::wait_for_news(std::uint64_t seen, const std::stop_token& stop,
                              std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, stop, longest, [&] { return news_count_ != seen; });
}

std::shared_ptr<const Node> KubeStore::own_node() const {
  std::shared_ptr<const Node> own;
  nodes_.read([&](const auto& nodes) {
    if (const auto found = nodes.find(node_name_); found != nodes.end()) own = found->second.own;
  });
  return own;
}

bool KubeStore::listed() const {
  return nodes_.read([](const auto&) {});
}

Status KubeStore::health() const {
  if (!follower_) return fail("the Nodes are not followed yet");
  return follower_->health();
}

Status KubeStore::patch(const std::string& body, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const std::string ignored,
                   client_.call({.method = "PATCH",
                                 .path = "/api/v1/nodes/" + node_name_ + "/status",
                                 .body = body,
                                 .content_type = "application/strategic-merge-patch+json"},
                                stop));
  return {};
}

Status KubeStore::annotate(const Annotations& edits, const std::stop_token& stop) {
  Json annotations = Json::object();
  for (const auto& [suffix, value] : edits) annotations[options_.prefix.key(suffix)] = value;
  return patch(to_text({{"metadata", {{"annotations", annotations}}}}), stop);
}

// flannel's words: tools look for them.
Status KubeStore::declare_network_available(UnixSeconds now, const std::stop_token& stop) {
  const std::string time = print_time(now);
  const Json condition = {
      {"type", "NetworkUnavailable"}, {"status", "False"},
      {"reason", "FlannelIsUp"},      {"message", "Flannel is running on this node"},
      {"lastTransitionTime", time},   {"lastHeartbeatTime", time}};
  return patch(to_text({{"status", {{"conditions", Json::array({condition})}}}}), stop);
}

Status KubeStore::warn(const std::string& reason, const std::string& message, UnixSeconds now,
                       const std::stop_token& stop) {
  return post_event(client_,
                    {.name = node_name_,
                     .uid = node_name_,
                     .warning = true,
                     .reason = reason,
                     .message = message,
                     .component = "weftd",
                     .host = node_name_},
                    now, stop);
}

Result<std::optional<std::string>> KubeStore::network_config() {
  auto text = read_file(options_.net_config_path);
  if (!text && text.error().number == ENOENT) return std::nullopt;
  if (!text) return Failure(std::move(text).error());
  return *std::move(text);
}

std::unique_ptr<LeaseWatch> KubeStore::watch(Changed changed) {
  const std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
  return std::make_unique<Watch>(*this);
}

}  // namespace weft
