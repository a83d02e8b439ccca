// nft_services.h: all services of a family as the table should hold them, and the edits that a
// changed one costs. Pure; one user at a time.
//
// Kept is the plan of each service as it was last handed over: its elements are made anew from it
// when they have to be compared, which takes microseconds, while keeping them would take ten times
// the memory of the cluster itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "net/nft_plan.h"
#include "service/front_claims.h"
#include "service/nft_elements.h"
#include "service/nft_inheritance.h"
#include "service/nft_layout.h"

namespace weft::service {

class NftServices {
 public:
  /// `inheritance` is of the table as the kernel has it before the first load().
  explicit NftServices(RuleOptions options, NftInheritance inheritance = {});

  /// The services that there are at the start, each once, one after the other; then
  /// forget_inheritance(). What that comes to is whole().
  void load(const ServiceName& name, UnixSeconds created, ServicePlan plan);
  void forget_inheritance() { inheritance_ = {}; }

  /// A service as it is to be from now on, and one that is to go. Appended to `edits` is what has
  /// to be done to a table that is as whole() was before; other services are touched where they
  /// lose a front to this one or get one back.
  void put(const ServiceName& name, UnixSeconds created, ServicePlan plan,
           std::vector<nft::TableEdit>& edits);
  void remove(const ServiceName& name, std::vector<nft::TableEdit>& edits);

  /// Other options of the same family. Returns the elements that come and go by that; nothing when
  /// rules differ, too: then the table has to be compared with whole().
  std::optional<std::vector<nft::TableEdit>> set_options(RuleOptions options);

  /// The table with all services.
  nft::TableContents whole();

  /// Calls each(name, plan) for all services in order of their names.
  template <class Each>
  void for_each(Each&& each) const {
    for (const auto& [name, service] : services_) each(name, service.plan);
  }
  /// Fronts that a service asks for and does not have, because an older one has them.
  std::vector<FrontKey> fronts_of_others(const ServiceName& name) const;

 private:
  struct Service {
    UnixSeconds created = {};
    ServicePlan plan = {};
    std::vector<Stay> stays = {};
  };
  using Services = std::map<ServiceName, Service>;

  void change(const ServiceName& name, std::optional<Service> service,
              std::vector<nft::TableEdit>& edits);
  /// Gives endpoints the slots, and ports with affinity the numbers, that they had.
  void settle(const Service* former, Service& service);
  std::uint32_t new_stay_id();
  void release_stay_ids(const Service* former, const Service* service);
  std::set<ServiceName> touched_by(const ServiceName& name, const Service* former,
                                   const Service* service) const;
  void append_elements(const ServiceName& name, ElementsByMap& elements, PicksUsed& used) const;
  void claim(const ServiceName& name, const Service& service);
  void release(const ServiceName& name, const Service& service);
  /// Notes the picks, and appends the chains that there are not yet.
  void add_picks(const PicksUsed& used, std::vector<nft::TableEdit>& edits);
  void store(const ServiceName& name, Service service);

  RuleOptions options_;
  NftInheritance inheritance_;
  Services services_;
  FrontClaims fronts_;
  FrontClaims hairpins_;
  PicksUsed picks_;  // those that have chains; none goes while the table lives
  std::uint32_t next_stay_id_;
  std::vector<std::uint32_t> free_stay_ids_;
};

}  // namespace weft::service
