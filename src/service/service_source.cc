#include "service/service_source.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "service/kube_services.h"

namespace weft::service {
namespace {

// RBAC: beside that of KubeServices, nodes and servicecidrs list and watch.
class KubeSource : public ServiceSource {
 public:
  KubeSource(const KubeAccess& access, const SourceFeeds& feeds, std::function<void()> changed)
      : access_(access),
        client_(access),
        feed_(feeds.services),
        changed_(std::move(changed)),
        node_(client_,
              {.path = "/api/v1/nodes", .field_selector = "metadata.name=" + feeds.node.name()},
              feeds.node.kube_nodes(), changed_),
        ranges_(client_,
                {.path = "/apis/networking.k8s.io/v1/servicecidrs", .longest_pause = kRangesAgain},
                feeds.ranges.kube_ranges(), [this] { ranges_changed(); }) {}

  void read_services() override {
    services_.reset();
    services_.emplace(access_, feed_, changed_);
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

  // On the thread of that watch.
  void ranges_changed() {
    const Status health = ranges_.health();
    if (ranges_told_.set(health) && !health)
      spdlog::info("addresses of the service ranges without a service are not dropped: {}",
                   health.error().text());
    changed_();
  }

  const KubeAccess access_;
  const KubeClient client_;
  ServiceFeed& feed_;
  const std::function<void()> changed_;
  KubeListWatch node_;
  Health ranges_told_;
  KubeListWatch ranges_;
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

OpenSource kube_source(KubeAccess access) {
  return [access = std::move(access)](const SourceFeeds& feeds, std::function<void()> changed) {
    return std::make_unique<KubeSource>(access, feeds, std::move(changed));
  };
}

OpenSource folder_source(std::string folder) {
  return [folder = std::move(folder)](const SourceFeeds& feeds, std::function<void()> changed) {
    return std::make_unique<FolderSource>(folder, feeds, std::move(changed));
  };
}

}  // namespace weft::service
