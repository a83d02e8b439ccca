// proxy_server.h: what the service proxy answers over HTTP, as kube-proxy does.
//
//   healthz port   /healthz  the proxy keeps up, and load balancers may send this node traffic
//                  /livez    the proxy keeps up
//   metrics port   /metrics, /proxyMode, /configz, /healthz
//   unix socket    /services, and /services/after/NAMESPACE/NAME: service_status.h page by page,
//   for
//                  `weft status services`
//
// Source: k8s.io/kubernetes pkg/proxy/healthcheck (proxy_health.go), cmd/kube-proxy/app
// (server.go).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "serve/http_server.h"
#include "service/node_feed.h"
#include "service/proxy_config.h"
#include "service/proxy_record.h"

namespace weft::service {

/// Listens at an address; at 0.0.0.0 as a Go program does: at IPv6's addresses, too, where the node
/// has any. Returns the address by which it can be closed.
Result<IpAddress> listen_as_go(HttpServer& server, const BindAddress& where,
                               HttpServer::Handler own = {});

class ProxyServer {
 public:
  /// What the answers are made of; all of it outlives the server.
  struct Subjects {
    const ProxyConfig& config;
    const std::string mode;
    const std::vector<Family> families;
    const std::string socket;  ///< empty: none
    const ServiceFeed& services;
    const NodeFeed& node;
    ProxyRecord& record;
  };
  explicit ProxyServer(Subjects subjects) : about_(std::move(subjects)) {}

  /// Begins to listen at the ports where it does not yet. One that another program has is no reason
  /// to leave a node without services, or without the other one: the first failure is for the log,
  /// and the call for another time.
  Status listen();
  /// The same at the socket.
  Status listen_locally();
  /// By which the status of services is worked out from now on. From any thread.
  void set_plan(PlanOptions plan) {
    plan_.with([&](auto& current) { current = std::move(plan); });
  }

 private:
  HttpReply services(const std::string& path) const;
  HttpReply health(const std::string& path) const;
  HttpReply metrics(const std::string& path) const;

  const Subjects about_;
  LockGuarded<PlanOptions> plan_;
  bool at_socket_ = false;
  bool at_health_ = false;
  bool at_metrics_ = false;
  HttpServer server_{[this](const std::string& path) { return services(path); }};
};

}  // namespace weft::service
