// front_claims.h: which service has an address and port that several ask for. Pure.
//
// The API keeps cluster addresses and node ports apart, but not external addresses, and files are
// checked by nobody. The oldest service has the front, of equally old ones the first by name:
// whoever comes later takes nothing away from those who are served.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "service/service_plan.h"

namespace weft::service {

struct FrontKeyHash {
  std::size_t operator()(const FrontKey& key) const noexcept;
};

/// A service that asks for fronts. The name must live as long as its claims.
struct Claimant {
  UnixSeconds created = {};
  const ServiceName* name = nullptr;
  bool operator==(const Claimant& other) const { return name == other.name; }
  bool operator<(const Claimant& other) const {
    return created != other.created ? created < other.created : *name < *other.name;
  }
};

class FrontClaims {
 public:
  /// One service may claim a front only once.
  void claim(const Claimant& who, const FrontKey& front);
  /// What was not claimed is released already.
  void release(const Claimant& who, const FrontKey& front);
  /// Who has a front; nullptr: nobody.
  const ServiceName* owner(const FrontKey& front) const;
  /// Who would have it if its owner released it; nullptr: nobody.
  const ServiceName* heir(const FrontKey& front) const;

 private:
  std::unordered_map<FrontKey, Claimant, FrontKeyHash> owners_;
  std::map<FrontKey, std::set<Claimant>> waiting_;
};

}  // namespace weft::service
