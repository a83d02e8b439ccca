#include "service/service_source.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "service/kube_services.h"

namespace weft::service {
namespace {

// RBAC: beside that of KubeServices, nodes and servicecidrs list and watch.
class KubeSource : public ServiceSource {
 public:
  KubeSource(std::shared_ptr<KubeReader> reader, const SourceFeeds& feeds,
             std::function<void()> changed)
      : reader_(std::move(reader)),
        feed_(feeds.services),
        changed_(std::move(changed)),
        node_(*reader_,
              {.path = kNodesPath, .selection = {.fields = "metadata.name=" + feeds.node.name()}},
              feeds.node.kube_nodes(), changed_),
        ranges_(*reader_,
                {.path = "/apis/networking.k8s.io/v1/servicecidrs", .longest_pause = kRangesAgain},
                feeds.ranges.kube_ranges(), [this] { ranges_changed(); }) {}

  void read_services() override {
    services_.reset();
    services_.emplace(*reader_, feed_, changed_);
  }
  /// Clusters before release 1.33 have no ServiceCIDRs, and roles of that time do not speak of
  /// them: that is told, and no illness.
  Status health() const override {
    if (services_) RETURN_IF_ERROR(services_->health());
    return node_.health();
  }

 private:
  // A kind that the cluster does not have, or not for us, is asked for seldom.
  static constexpr std::chrono::milliseconds kRangesAgain{300'000};

  // On the reader's thread.
  void ranges_changed() {
    const Status health = ranges_.health();
    if (ranges_told_.set(health) && !health)
      spdlog::info("addresses of the service ranges without a service are not dropped: {}",
                   health.error().text());
    changed_();
  }

  const std::shared_ptr<KubeReader> reader_;
  ServiceFeed& feed_;
  const std::function<void()> changed_;
  KubeFollower node_;
  Health ranges_told_;
  KubeFollower ranges_;
  std::optional<KubeServices> services_;
};

class FolderSource : public ServiceSource {
 public:
  FolderSource(std::string folder, const SourceFeeds& feeds, std::function<void()> changed)
      : folder_(std::move(folder)),
        feed_(feeds.services),
        changed_(std::move(changed)),
        surroundings_(folder_,
                      {{"Node", &feeds.node.nodes()}, {"ServiceCIDR", &feeds.ranges.ranges()}},
                      changed_) {}

  void read_services() override {
    services_.reset();
    services_.emplace(
        folder_,
        ObjectFolder::Sinks{{"Service", &feed_.services()}, {"EndpointSlice", &feed_.slices()}},
        changed_);
  }
  Status health() const override {
    return services_ ? services_->health() : surroundings_.health();
  }

 private:
  const std::string folder_;
  ServiceFeed& feed_;
  const std::function<void()> changed_;
  const ObjectFolder surroundings_;
  std::optional<ObjectFolder> services_;
};

}  // namespace

OpenSource kube_source(std::shared_ptr<KubeReader> reader) {
  return [reader = std::move(reader)](const SourceFeeds& feeds, std::function<void()> changed) {
    return std::make_unique<KubeSource>(reader, feeds, std::move(changed));
  };
}

OpenSource folder_source(std::string folder) {
  return [folder = std::move(folder)](const SourceFeeds& feeds, std::function<void()> changed) {
    return std::make_unique<FolderSource>(folder, feeds, std::move(changed));
  };
}

}  // namespace weft::service
