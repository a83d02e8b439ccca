// health_ports.h: the ports at which load balancers ask whether endpoints of a service are on this
// node (healthCheckNodePort).
//
// Source: k8s.io/kubernetes pkg/proxy/healthcheck (service_health.go).
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "serve/http_server.h"
#include "service/planned_service.h"

namespace weft::service {

/// What is answered, to any path.
HttpReply health_answer(const ServiceName& service, std::size_t local_endpoints, bool healthy);

class HealthPorts {
 public:
  /// A port that could not be opened, for the cluster to be told.
  using Refused = std::function<void(const ServiceName& service, const std::string& why)>;
  /// `healthy` says whether the proxy keeps up; from any thread.
  HealthPorts(std::function<bool()> healthy, Refused refused);

  /// Where the ports are opened from now on; empty: at all addresses. The open ones move.
  void set_addresses(std::vector<IpAddress> addresses);
  /// A service as it is now.
  void put(const ServiceName& name, const std::optional<HealthCheck>& check);
  /// Opens and closes what put() and set_addresses() ask for, and tries again what was refused.
  void settle();

 private:
  struct Port {
    HealthCheck check = {};
    std::vector<IpAddress> asked = {};                          // for these it was opened,
    std::vector<IpAddress> at = {};                             // which came to these,
    std::uint16_t number = 0;                                   // with this number; 0: it is closed
    std::shared_ptr<std::atomic<std::size_t>> local_endpoints;  // the answer's
    bool told = false;
  };

  void close(Port& port);
  Status open(const ServiceName& name, Port& port);

  const std::function<bool()> healthy_;
  const Refused refused_;
  std::vector<IpAddress> addresses_;
  std::map<ServiceName, Port> ports_;
  std::vector<Port> leaving_;
  std::unique_ptr<HttpServer> server_;  // once it is needed
};

}  // namespace weft::service
