#include "dns/folder_source.h"

#include <atomic>
#include <functional>
#include <utility>

namespace weft::dns {

// Puts one kind of object into the builder.
class FolderSource::Sink : public ObjectSink {
 public:
  struct Kind {
    std::function<Status(ZoneBuilder&, const Json& object)> put;
    std::function<void(ZoneBuilder&, const ObjectKey&)> remove;
    std::function<void(ZoneBuilder&, const ZoneBuilder::Names&)> keep;
  };
  Sink(ZonePublisher& publisher, Kind kind) : publisher_(publisher), kind_(std::move(kind)) {}

  void begin() override { listed_.clear(); }
  void put(const ObjectKey& key, const Json& object) override {
    listed_.insert(id_of(key));
    const Status taken =
        publisher_.builder().with([&](ZoneBuilder& builder) { return kind_.put(builder, object); });
    if (!taken) publisher_.note_unreadable(key.to_string(), taken.error());
  }
  void remove(const ObjectKey& key) override {
    publisher_.builder().with([&](ZoneBuilder& builder) { kind_.remove(builder, key); });
  }
  void end() override {
    publisher_.builder().with([&](ZoneBuilder& builder) { kind_.keep(builder, listed_); });
    listed_ = {};
    complete_ = true;
  }

  /// Callable from any thread.
  bool is_complete() const { return complete_; }

 private:
  static std::string id_of(const ObjectKey& key) {
    return key.ns.empty() ? key.name : key.ns + "/" + key.name;
  }

  ZonePublisher& publisher_;
  const Kind kind_;
  ZoneBuilder::Names listed_;  // of the folder's thread
  std::atomic<bool> complete_{false};
};

Result<std::unique_ptr<FolderSource>> FolderSource::open(const std::string& folder,
                                                         const KubernetesOptions& options,
                                                         const SnapshotPlace& kept,
                                                         Published<ClusterZone>& zones) {
  if (!options.label_selector.empty() || !options.namespace_label_selector.empty())
    return fail("kubernetes: labels and namespace_labels select what an API server sends",
                "take them out: the folder " + folder + " has what is to be served");
  return std::unique_ptr<FolderSource>(new FolderSource(folder, options, kept, zones));
}

FolderSource::FolderSource(const std::string& folder, const KubernetesOptions& options,
                           const SnapshotPlace& kept, Published<ClusterZone>& zones)
    : publisher_(options, kept, zones,
                 {.is_complete = [this] { return everything_is_read(); },
                  .health = [this] { return health(); }}) {
  services_ = std::make_unique<Sink>(
      publisher_,
      Sink::Kind{
          .put = [](ZoneBuilder& builder, const Json& object) -> Status {
            ASSIGN_OR_RETURN(const Service service, Service::read(object));
            builder.put(service);
            return {};
          },
          .remove = [](ZoneBuilder& builder,
                       const ObjectKey& key) { builder.remove({.ns = key.ns, .name = key.name}); },
          .keep = [](ZoneBuilder& builder,
                     const ZoneBuilder::Names& names) { builder.keep_services(names); }});
  slices_ = std::make_unique<Sink>(
      publisher_,
      Sink::Kind{.put = [](ZoneBuilder& builder, const Json& object) -> Status {
                   ASSIGN_OR_RETURN(const EndpointSlice slice, EndpointSlice::read(object));
                   builder.put(slice);
                   return {};
                 },
                 .remove = [](ZoneBuilder& builder,
                              const ObjectKey& key) { builder.remove_slice(key.ns, key.name); },
                 .keep = [](ZoneBuilder& builder,
                            const ZoneBuilder::Names& names) { builder.keep_slices(names); }});
  namespaces_ = std::make_unique<Sink>(
      publisher_,
      Sink::Kind{.put = [](ZoneBuilder& builder, const Json& object) -> Status {
                   builder.put_namespace(object["metadata"]["name"]);
                   return {};
                 },
                 .remove = [](ZoneBuilder& builder,
                              const ObjectKey& key) { builder.remove_namespace(key.name); },
                 .keep = [](ZoneBuilder& builder,
                            const ZoneBuilder::Names& names) { builder.keep_namespaces(names); }});
  folder_ = std::make_unique<ObjectFolder>(folder,
                                           ObjectFolder::Sinks{{"Service", services_.get()},
                                                               {"EndpointSlice", slices_.get()},
                                                               {"Namespace", namespaces_.get()}},
                                           [this] { publisher_.nudge(); });
  publisher_.start();
}

FolderSource::~FolderSource() {
  publisher_.stop();
}

bool FolderSource::everything_is_read() const {
  return services_->is_complete() && slices_->is_complete() && namespaces_->is_complete();
}

}  // namespace weft::dns
