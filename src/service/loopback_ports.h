// loopback_ports.h: node ports at 127.0.0.1 and ::1, in whichever mode the services are otherwise.
//
// Rules cannot do that well: what is sent to a loopback address cannot leave the node with another
// destination unless the kernel is told to take such addresses from everywhere (route_localnet),
// and for ::1 not even then. So the relay listens there.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "service/planned_service.h"
#include "service/portals.h"

namespace weft::service {

/// Used by one thread, in the namespace whose ports are taken.
class LoopbackPorts {
 public:
  static Result<LoopbackPorts> start(const std::vector<Family>& families,
                                     const RelayOptions& options);

  /// What has changed, or at first all there is. A port that somebody has is logged and left to it.
  void put(const std::vector<PlannedService>& services);

 private:
  explicit LoopbackPorts(std::unique_ptr<Relay> relay) : relay_(std::move(relay)) {}

  std::unique_ptr<Relay> relay_;
  std::map<Family, std::unique_ptr<Portals>> portals_;
};

}  // namespace weft::service
