#include "service/relay/relayed_port.h"

#include <random>
#include <utility>

namespace weft::service {

RelayedPort::RelayedPort(Relay& relay, ServiceProtocol protocol)
    : relay_(relay),
      protocol_(protocol),
      balancer_(std::make_shared<Balancer>(std::random_device{}())) {}

RelayedPort::~RelayedPort() {
  for (const auto& [at, entrance] : open_) relay_.close(entrance.id);
}

void RelayedPort::set_endpoints(const PortPlan& plan) {
  std::vector<Place> places;
  for (const EndpointRecord& endpoint : plan.cluster.empty() ? plan.local : plan.cluster)
    places.push_back({endpoint.address, endpoint.port});
  balancer_->set(std::move(places), std::chrono::seconds(plan.affinity_seconds));
}

std::vector<Error> RelayedPort::listen(const std::set<ListenAt>& wanted) {
  for (auto each = open_.begin(); each != open_.end();) {
    if (wanted.contains(each->first)) {
      ++each;
      continue;
    }
    relay_.close(each->second.id);
    each = open_.erase(each);
  }
  std::vector<Error> errors;
  for (const ListenAt& at : wanted) {
    if (open_.contains(at)) continue;
    if (auto entrance = relay_.listen(at.address, at.port, protocol_, balancer_))
      open_.emplace(at, *entrance);
    else
      errors.push_back(entrance.error());
  }
  return errors;
}

std::optional<std::uint16_t> RelayedPort::port(const ListenAt& at) const {
  const auto found = open_.find(at);
  return found == open_.end() ? std::nullopt : std::optional(found->second.port);
}

}  // namespace weft::service
