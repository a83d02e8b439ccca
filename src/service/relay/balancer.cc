#include "service/relay/balancer.h"

#include <algorithm>
#include <random>
#include <utility>

namespace weft::service {

void Balancer::set(std::vector<Place> endpoints, std::chrono::seconds affinity) {
  std::sort(endpoints.begin(), endpoints.end());
  const std::lock_guard lock(mutex_);
  affinity_ = affinity;
  if (affinity.count() == 0) stays_.clear();
  if (endpoints == given_) return;
  given_ = std::move(endpoints);
  endpoints_ = given_;
  std::shuffle(endpoints_.begin(), endpoints_.end(), std::minstd_rand(seed_));
  turn_ = 0;
  std::erase_if(stays_, [&](const auto& stay) {
    return !std::binary_search(given_.begin(), given_.end(), stay.second.endpoint);
  });
}

std::optional<Place> Balancer::pick(const IpAddress& client, Time now) {
  const std::lock_guard lock(mutex_);
  if (endpoints_.empty()) return std::nullopt;
  if (affinity_.count() == 0) return next();
  const auto known = stays_.find(client);
  if (known != stays_.end()) {
    if (now - known->second.used >= affinity_) known->second.endpoint = next();
    known->second.used = now;
    return known->second.endpoint;
  }
  if (stays_.size() >= kMostClients) forget_idle(now);
  const Place endpoint = next();
  if (stays_.size() < kMostClients) stays_.emplace(client, Stay{endpoint, now});
  return endpoint;
}

Place Balancer::next() {
  return endpoints_[turn_++ % endpoints_.size()];
}

// Not for each client: whoever fills the table should not make it slow as well.
void Balancer::forget_idle(Time now) {
  constexpr std::chrono::seconds kPause(1);
  if (now - swept_ < kPause) return;
  swept_ = now;
  std::erase_if(stays_, [&](const auto& stay) { return now - stay.second.used >= affinity_; });
}

void Balancer::release(const IpAddress& client) {
  const std::lock_guard lock(mutex_);
  stays_.erase(client);
}

bool Balancer::has(const Place& endpoint) const {
  const std::lock_guard lock(mutex_);
  return std::binary_search(given_.begin(), given_.end(), endpoint);
}

std::size_t Balancer::clients() const {
  const std::lock_guard lock(mutex_);
  return stays_.size();
}

}  // namespace weft::service
