#include "service/slots.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace weft::service {

std::vector<EndpointRecord> arrange(const std::vector<EndpointRecord>& former,
                                    std::vector<EndpointRecord> wanted) {
  std::sort(wanted.begin(), wanted.end(), before_in_place);
  std::vector<std::optional<std::size_t>> slots(wanted.size());  // of each slot, its `wanted`
  std::vector<bool> placed(wanted.size());
  for (std::size_t slot = 0; slot < std::min(former.size(), wanted.size()); ++slot) {
    const auto found =
        std::lower_bound(wanted.begin(), wanted.end(), former[slot], before_in_place);
    if (found == wanted.end() || !found->same_place(former[slot])) continue;
    const auto index = static_cast<std::size_t>(found - wanted.begin());
    if (placed[index]) continue;
    slots[slot] = index;
    placed[index] = true;
  }
  std::vector<EndpointRecord> arranged;
  arranged.reserve(wanted.size());
  std::size_t next = 0;
  for (const auto& slot : slots) {
    if (!slot)
      while (placed[next]) ++next;
    arranged.push_back(wanted[slot ? *slot : next++]);
  }
  return arranged;
}

std::vector<std::uint32_t> number_places(const std::vector<EndpointRecord>& former,
                                         const std::vector<std::uint32_t>& numbers,
                                         const std::vector<EndpointRecord>& now) {
  const auto key = [](const EndpointRecord& endpoint) {
    return std::pair(endpoint.address, endpoint.port);
  };
  std::map<std::pair<IpAddress, std::uint16_t>, std::uint32_t> of_place;
  for (std::size_t i = 0; i < std::min(former.size(), numbers.size()); ++i)
    of_place.emplace(key(former[i]), numbers[i]);
  std::set<std::uint32_t> used(numbers.begin(), numbers.end());
  std::vector<std::uint32_t> result;
  result.reserve(now.size());
  std::uint32_t next = 0;
  for (const auto& endpoint : now) {
    if (const auto found = of_place.find(key(endpoint)); found != of_place.end()) {
      result.push_back(found->second);
      continue;
    }
    while (used.contains(next)) ++next;
    used.insert(next);
    result.push_back(next);
  }
  return result;
}

}  // namespace weft::service
