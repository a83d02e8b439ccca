// nft_inheritance.h: what a proxy takes over from the one that ran before it: which endpoint has
// which slot, and which id a service with affinity. Pure.
//
// Both are free to choose, so the first plan after a start chooses what the kernel has: nothing
// has to be written, and clients keep their endpoints.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "net/nft.h"
#include "service/front_claims.h"
#include "service/nft_elements.h"

namespace weft::service {

/// Endpoints in the order of their slots; of each record only the place is known. With affinity,
/// their numbers, too.
struct FormerSlots {
  std::vector<EndpointRecord> cluster = {};
  std::vector<EndpointRecord> local = {};
  Stay stay = {};
};

class NftInheritance {
 public:
  NftInheritance() = default;
  /// From what was read of the table; whatever is in there that makes no sense is passed over.
  NftInheritance(const nft::TableContents& table, Family family);

  /// Of the service port that has this front; each once.
  FormerSlots take(const FrontKey& front);
  /// No id that was read is larger.
  std::uint32_t largest_stay_id() const { return largest_stay_id_; }
  /// The chains that there are.
  const PicksUsed& picks() const { return picks_; }

 private:
  std::unordered_map<FrontKey, FormerSlots, FrontKeyHash> slots_;
  std::unordered_map<FrontKey, std::uint32_t, FrontKeyHash> stay_ids_;
  /// By id: endpoints in the order of their slots, and their numbers.
  struct StaySlots {
    std::vector<EndpointRecord> endpoints;
    std::vector<std::uint32_t> numbers;
  };
  void read_endpoint(const nft::Element& element, Family family);
  void read_stays(const nft::TableContents& table, Family family);
  StaySlots take_stay(std::uint32_t id);

  std::map<std::uint32_t, StaySlots> stay_slots_;
  std::set<std::uint32_t> taken_stay_ids_;
  std::uint32_t largest_stay_id_ = 0;
  PicksUsed picks_;
};

}  // namespace weft::service
