// iptables_services.h: all services of a family as chains of iptables, and which of them a change
// touches. Pure; one user at a time.
//
// Kept is the plan of each service: its rules are made anew from it where they have to be compared.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "service/front_claims.h"
#include "service/iptables_layout.h"
#include "service/iptables_update.h"

namespace weft::service {

class IptablesServices {
 public:
  explicit IptablesServices(IptablesOptions options) : options_(std::move(options)) {}

  /// A service as it is to be from now on, and one that is to go.
  void put(const ServiceName& name, UnixSeconds created, ServicePlan plan);
  void remove(const ServiceName& name);
  /// Those of the same family. The kernel has to be compared with whole() after that.
  void set_options(IptablesOptions options) { options_ = std::move(options); }
  const IptablesOptions& options() const { return options_; }

  /// What has to be written, since this was last called, over what whole() was then.
  IptablesUpdate take_update();
  /// Everything as it should be, with what take_update() would say.
  IptablesContents whole() const;
  /// Says that whole() has been written.
  void settled() { pending_ = {}; }

 private:
  struct Service {
    UnixSeconds created = {};
    ServicePlan plan = {};
    bool commented = true;  // see RulesWanted
  };
  using Services = std::map<ServiceName, Service>;
  /// What put() and remove() have come to.
  struct Pending {
    std::map<std::string, std::vector<std::string>> chains = {};  // to be written
    std::set<std::string> gone = {};
    bool shared = false;  // the chains of all services
  };

  void change(const ServiceName& name, std::optional<Service> service);
  RulesWanted wanted(const ServiceName& name, const Service& service) const;
  void note_chains(const ChainRules& before, ChainRules after);
  void claim(const Services::value_type& entry);
  void release(const Services::value_type& entry);
  /// The shared chains, with the rules of every service.
  IptablesContents shared() const;

  IptablesOptions options_;
  Services services_;
  FrontClaims fronts_;
  std::size_t endpoints_ = 0;
  Pending pending_;
};

}  // namespace weft::service
