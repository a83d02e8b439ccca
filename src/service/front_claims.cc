#include "service/front_claims.h"

#include <algorithm>

namespace weft::service {

std::size_t FrontKeyHash::operator()(const FrontKey& key) const noexcept {
  constexpr std::size_t kSpread = 0x9e3779b97f4a7c15U;
  const std::size_t rest = static_cast<std::size_t>(key.protocol) << 16U | key.port;
  return std::hash<IpAddress>{}(key.address) ^ rest * kSpread;
}

void FrontClaims::claim(const Claimant& who, const FrontKey& front) {
  const auto [entry, is_new] = owners_.try_emplace(front, who);
  if (is_new) return;
  const Claimant other = std::max(entry->second, who);
  entry->second = std::min(entry->second, who);
  waiting_[front].insert(other);
}

void FrontClaims::release(const Claimant& who, const FrontKey& front) {
  const auto entry = owners_.find(front);
  if (entry == owners_.end()) return;
  const auto waiting = waiting_.find(front);
  if (waiting == waiting_.end()) {
    if (entry->second == who) owners_.erase(entry);
    return;
  }
  std::set<Claimant>& others = waiting->second;
  if (entry->second == who)
    entry->second = others.extract(others.begin()).value();
  else
    others.erase(who);
  if (others.empty()) waiting_.erase(waiting);
}

const ServiceName* FrontClaims::owner(const FrontKey& front) const {
  const auto entry = owners_.find(front);
  return entry == owners_.end() ? nullptr : entry->second.name;
}

const ServiceName* FrontClaims::heir(const FrontKey& front) const {
  const auto waiting = waiting_.find(front);
  return waiting == waiting_.end() ? nullptr : waiting->second.begin()->name;
}

}  // namespace weft::service
