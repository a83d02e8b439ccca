#include "service/kube_services.h"

#include <utility>

namespace weft::service {
namespace {

constexpr const char* kOurs =
    "!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless";

}  // namespace

KubeServices::KubeServices(KubeAccess access, ServiceFeed& feed,
                           const std::function<void()>& changed)
    : client_(std::move(access)),
      services_(client_, {.path = "/api/v1/services", .label_selector = kOurs},
                feed.kube_services(), changed),
      slices_(client_,
              {.path = "/apis/discovery.k8s.io/v1/endpointslices", .label_selector = kOurs},
              feed.kube_slices(), changed) {}

Status KubeServices::health() const {
  RETURN_IF_ERROR(services_.health());
  return slices_.health();
}

}  // namespace weft::service
