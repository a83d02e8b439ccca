#include "dns/kube_source.h"

#include <atomic>
#include <cerrno>
#include <functional>
#include <utility>

namespace weft::dns {
namespace {

std::string id_of(const KubeMeta& meta) {
  return meta.ns.empty() ? meta.name : meta.ns + "/" + meta.name;
}

}  // namespace

// Puts one kind of object into the builder.
class KubeSource::Sink : public KubeSink {
 public:
  struct Kind {
    std::function<bool(ZoneBuilder&, const KubeObject&)> put;
    std::function<bool(ZoneBuilder&, const KubeMeta&)> remove;
    std::function<bool(ZoneBuilder&, const ZoneBuilder::Names&)> keep;
  };
  Sink(LockGuarded<ZoneBuilder>& builder, Kind kind) : builder_(builder), kind_(std::move(kind)) {}

  void begin() override { listed_.clear(); }
  void list_item(const KubeObject& object) override {
    listed_.insert(id_of(object.meta()));
    put(object);
  }
  void commit() override {
    builder_.with([&](ZoneBuilder& builder) { kind_.keep(builder, listed_); });
    listed_ = {};
    complete_ = true;
  }
  bool put(const KubeObject& object) override {
    return builder_.with([&](ZoneBuilder& builder) { return kind_.put(builder, object); });
  }
  bool remove(const KubeMeta& meta) override {
    return builder_.with([&](ZoneBuilder& builder) { return kind_.remove(builder, meta); });
  }

  /// Callable from any thread.
  bool is_complete() const { return complete_; }

 private:
  LockGuarded<ZoneBuilder>& builder_;
  const Kind kind_;
  ZoneBuilder::Names listed_;  // of the thread of the watch, while it lists
  std::atomic<bool> complete_{false};
};

struct KubeSource::Watch {
  Watch(LockGuarded<ZoneBuilder>& builder, KubeListWatchOptions list_options, Sink::Kind kind)
      : options(std::move(list_options)), sink(builder, std::move(kind)) {}
  bool has_started() const { return started.load(std::memory_order_acquire); }
  // Success also before the start, which waits for others.
  Status health() const { return has_started() ? follower->health() : Status(); }

  KubeListWatchOptions options;
  Sink sink;
  std::unique_ptr<KubeFollower> follower;
  std::atomic<bool> started{false};
};

KubeSource::KubeSource(std::shared_ptr<KubeReader> reader, const KubernetesOptions& options,
                       const SnapshotPlace& kept, Published<ClusterZone>& zones)
    : reader_(std::move(reader)),
      options_(options),
      publisher_(options, kept, zones,
                 {.is_complete = [this] { return everything_is_listed(); },
                  .health = [this] { return health(); }}) {
  const std::string& selector = options_.label_selector;
  LockGuarded<ZoneBuilder>& shared = publisher_.builder();
  services_ = std::make_unique<Watch>(
      shared, KubeListWatchOptions{.path = kServicesPath, .selection = {.labels = selector}},
      Sink::Kind{
          .put =
              [this](ZoneBuilder& builder, const KubeObject& object) {
                const auto& service = object.as<Service>();
                if (service) return builder.put(*service);
                publisher_.note_unreadable("service " + id_of(object.meta()), service.error());
                return false;
              },
          .remove =
              [](ZoneBuilder& builder, const KubeMeta& meta) {
                return builder.remove({.ns = meta.ns, .name = meta.name});
              },
          .keep = [](ZoneBuilder& builder,
                     const ZoneBuilder::Names& names) { return builder.keep_services(names); }});
  slices_ = std::make_unique<Watch>(
      shared, KubeListWatchOptions{.path = kEndpointSlicesPath, .selection = {.labels = selector}},
      Sink::Kind{
          .put =
              [this](ZoneBuilder& builder, const KubeObject& object) {
                const auto& slice = object.as<EndpointSlice>();
                if (slice) return builder.put(*slice);
                publisher_.note_unreadable("endpointslice " + id_of(object.meta()), slice.error());
                return false;
              },
          .remove = [](ZoneBuilder& builder,
                       const KubeMeta& meta) { return builder.remove_slice(meta.ns, meta.name); },
          .keep = [](ZoneBuilder& builder,
                     const ZoneBuilder::Names& names) { return builder.keep_slices(names); }});
  namespaces_ = std::make_unique<Watch>(
      shared,
      KubeListWatchOptions{.path = "/api/v1/namespaces",
                           .selection = {.labels = options_.namespace_label_selector}},
      Sink::Kind{
          .put = [](ZoneBuilder& builder,
                    const KubeObject& object) { return builder.put_namespace(object.meta().name); },
          .remove = [](ZoneBuilder& builder,
                       const KubeMeta& meta) { return builder.remove_namespace(meta.name); },
          .keep = [](ZoneBuilder& builder,
                     const ZoneBuilder::Names& names) { return builder.keep_namespaces(names); }});
  publisher_.start();
  start(*services_);
  start(*namespaces_);
}

KubeSource::~KubeSource() {
  publisher_.stop();
}

void KubeSource::start(Watch& watch) {
  watch.follower = std::make_unique<KubeFollower>(*reader_, watch.options, watch.sink,
                                                  [this] { publisher_.nudge(); });
  watch.started.store(true, std::memory_order_release);
}

Status KubeSource::health() const {
  for (const Watch* watch : {services_.get(), namespaces_.get(), slices_.get()})
    if (Status health = watch->health(); !health) return health;
  return {};
}

bool KubeSource::everything_is_listed() {
  const bool needs_slices = options_.zone.endpoints || options_.zone.ignore_empty_service;
  if (needs_slices && services_->sink.is_complete() && !slices_->has_started()) start(*slices_);
  const auto namespaces = namespaces_->health();
  const bool may_not_list =
      !namespaces && namespaces.error().number == EPERM && !options_.zone.listed_namespaces_only;
  // What an earlier run had a list of: nobody can say that they are still there.
  if (may_not_list)
    publisher_.builder().with([](ZoneBuilder& builder) { builder.keep_namespaces({}); });
  return services_->sink.is_complete() && (slices_->sink.is_complete() || !needs_slices) &&
         (namespaces_->sink.is_complete() || may_not_list);
}

}  // namespace weft::dns
