// portals.h: what the relay has open for the services of a family.
//
// In userspace mode that is a port for every port of a service, to which rules lead. In all modes
// node ports are open at addresses that rules cannot serve (loopback_ports.h).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/front_claims.h"
#include "service/planned_service.h"
#include "service/portal_rules.h"
#include "service/relay/relayed_port.h"

namespace weft::service {

/// Used by one thread, in the namespace whose ports are taken.
class Portals {
 public:
  struct Choice {
    IpAddress node_ports_at = {};  ///< of this node, or the unspecified one: all
    bool every_port = false;       ///< also a port that is no node port, for every one
  };
  /// `relay` must outlive it.
  Portals(Relay& relay, const Choice& choice) : relay_(relay), choice_(choice) {}
  Portals(const Portals&) = delete;
  Portals& operator=(const Portals&) = delete;

  /// A service as it is to be from now on, and one that is to go. SCTP is left out; what cannot be
  /// opened is logged, and tried again when the service is put again.
  void put(const ServiceName& name, UnixSeconds created, const ServicePlan& plan);
  void remove(const ServiceName& name);
  /// Whichever of the two it says.
  void put(const PlannedService& service);

  /// What is open, for the rules. Of two services that ask for a front, the older one has it.
  std::vector<Portal> open() const;

 private:
  struct Port {
    std::string name = {};
    ServiceProtocol protocol = ServiceProtocol::kTcp;
    std::vector<Front> fronts = {};
    std::unique_ptr<RelayedPort> relayed = {};
    std::string told = {};  // why something is not open

    FrontKey key(const Front& front) const { return {front.address, protocol, front.port}; }
  };
  struct Service {
    UnixSeconds created = {};
    std::vector<Port> ports = {};
  };
  using Services = std::map<ServiceName, Service>;

  ListenAt any_port() const { return {IpAddress::any(choice_.node_ports_at.family()), 0}; }
  bool is_carried(const PortPlan& port) const;
  void settle(Services::value_type& entry, bool takes);
  void claim(const Services::value_type& entry, std::set<ServiceName>& touched);
  void release(const Services::value_type& entry, std::set<ServiceName>& touched);
  /// Gives up the node ports that these do not have any more, and takes those that they have now.
  void listen(const std::set<ServiceName>& touched);

  Relay& relay_;
  const Choice choice_;
  Services services_;
  FrontClaims fronts_;
};

}  // namespace weft::service
