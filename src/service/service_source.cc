#include "service/service_source.h"

#include <optional>
#include <utility>

#include "service/kube_services.h"

namespace weft::service {
namespace {

// RBAC: beside that of KubeServices, nodes list and watch.
class KubeSource : public ServiceSource {
 public:
  KubeSource(const KubeAccess& access, ServiceFeed& feed, NodeFeed& node,
             std::function<void()> changed)
      : access_(access),
        client_(access),
        feed_(feed),
        changed_(std::move(changed)),
        node_(client_, {.path = "/api/v1/nodes", .field_selector = "metadata.name=" + node.name()},
              node.kube_nodes(), changed_) {}

  void read_services() override {
    services_.reset();
    services_.emplace(access_, feed_, changed_);
  }
  Status health() const override {
    if (services_) RETURN_IF_ERROR(services_->health());
    return node_.health();
  }

 private:
  const KubeAccess access_;
  const KubeClient client_;
  ServiceFeed& feed_;
  const std::function<void()> changed_;
  KubeListWatch node_;
  std::optional<KubeServices> services_;
};

class FolderSource : public ServiceSource {
 public:
  FolderSource(std::string folder, ServiceFeed& feed, NodeFeed& node, std::function<void()> changed)
      : folder_(std::move(folder)),
        feed_(feed),
        changed_(std::move(changed)),
        nodes_(folder_, {{"Node", &node.nodes()}}, changed_) {}

  void read_services() override {
    services_.reset();
    services_.emplace(
        folder_,
        ObjectFolder::Sinks{{"Service", &feed_.services()}, {"EndpointSlice", &feed_.slices()}},
        changed_);
  }
  Status health() const override { return services_ ? services_->health() : nodes_.health(); }

 private:
  const std::string folder_;
  ServiceFeed& feed_;
  const std::function<void()> changed_;
  const ObjectFolder nodes_;
  std::optional<ObjectFolder> services_;
};

}  // namespace

OpenSource kube_source(KubeAccess access) {
  return [access = std::move(access)](ServiceFeed& services, NodeFeed& node,
                                      std::function<void()> changed) {
    return std::make_unique<KubeSource>(access, services, node, std::move(changed));
  };
}

OpenSource folder_source(std::string folder) {
  return [folder = std::move(folder)](ServiceFeed& services, NodeFeed& node,
                                      std::function<void()> changed) {
    return std::make_unique<FolderSource>(folder, services, node, std::move(changed));
  };
}

}  // namespace weft::service
