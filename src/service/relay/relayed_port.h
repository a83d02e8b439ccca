// relayed_port.h: one port of a service as the relay serves it: its endpoints, and where clients
// come in.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "service/relay/relay.h"
#include "service/service_plan.h"

namespace weft::service {

/// An address of the node and a port; port 0 is any that is free.
struct ListenAt {
  IpAddress address = {};
  std::uint16_t port = 0;
  auto operator<=>(const ListenAt&) const = default;
};

class RelayedPort {
 public:
  /// `relay` must outlive it.
  RelayedPort(Relay& relay, ServiceProtocol protocol);
  /// Nobody comes in any more; connections that stand go on.
  ~RelayedPort();
  RelayedPort(const RelayedPort&) = delete;
  RelayedPort& operator=(const RelayedPort&) = delete;

  /// Clients go to the endpoints of policy Cluster; where that is not used, to this node's.
  void set_endpoints(const PortPlan& plan);
  /// Opens what is missing and closes what is not wanted. Returns why something cannot be opened;
  /// it is tried again with the next call.
  std::vector<Error> listen(const std::set<ListenAt>& wanted);
  /// The port of something that is open.
  std::optional<std::uint16_t> port(const ListenAt& at) const;

 private:
  Relay& relay_;
  const ServiceProtocol protocol_;
  const std::shared_ptr<Balancer> balancer_;
  std::map<ListenAt, Relay::Entrance> open_;
};

}  // namespace weft::service
