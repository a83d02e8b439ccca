#include "service/kube_services.h"

namespace weft::service {
namespace {

constexpr const char* kOurs =
    "!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless";

}  // namespace

KubeServices::KubeServices(KubeReader& reader, ServiceFeed& feed,
                           const std::function<void()>& changed)
    : services_(reader, {.path = kServicesPath, .selection = {.labels = kOurs}},
                feed.kube_services(), changed),
      slices_(reader, {.path = kEndpointSlicesPath, .selection = {.labels = kOurs}},
              feed.kube_slices(), changed) {}

Status KubeServices::health() const {
  RETURN_IF_ERROR(services_.health());
  return slices_.health();
}

}  // namespace weft::service
