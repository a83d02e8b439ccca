#include "service/health_ports.h"

#include <utility>

#include "base/log.h"
#include "service/proxy_server.h"

namespace weft::service {

// Others look at more than the code: these are kube-proxy's bytes.
HttpReply health_answer(const ServiceName& service, std::size_t local_endpoints, bool healthy) {
  std::string body = "{\n\t\"service\": {\n\t\t\"namespace\": " + to_text(service.ns);
  body += ",\n\t\t\"name\": " + to_text(service.name);
  body += "\n\t},\n\t\"localEndpoints\": " + std::to_string(local_endpoints);
  body += std::string(",\n\t\"serviceProxyHealthy\": ") + (healthy ? "true" : "false") + "\n}";
  return {.status = local_endpoints != 0 && healthy ? 200 : 503,
          .body = std::move(body),
          .type = "application/json",
          .headers = {{"X-Content-Type-Options", "nosniff"},
                      {"X-Load-Balancing-Endpoint-Weight", std::to_string(local_endpoints)}}};
}

HealthPorts::HealthPorts(std::function<bool()> healthy, Refused refused)
    : healthy_(std::move(healthy)), refused_(std::move(refused)) {}

void HealthPorts::set_addresses(std::vector<IpAddress> addresses) {
  addresses_ = std::move(addresses);
}

void HealthPorts::put(const ServiceName& name, const std::optional<HealthCheck>& check) {
  const auto found = ports_.find(name);
  if (!check) {
    if (found == ports_.end()) return;
    leaving_.push_back(std::move(found->second));
    ports_.erase(found);
    return;
  }
  Port& port = found == ports_.end() ? ports_[name] : found->second;
  if (port.check.port != check->port) port.told = false;
  port.check = *check;
  if (!port.local_endpoints)
    port.local_endpoints = std::make_shared<std::atomic<std::size_t>>(check->local_endpoints);
  *port.local_endpoints = check->local_endpoints;
}

void HealthPorts::close(Port& port) {
  for (const auto& address : port.at) server_->close(address, port.number);
  port.at.clear();
  port.number = 0;
}

Status HealthPorts::open(const ServiceName& name, Port& port) {
  // One server, and so one thread, for all of them.
  if (!server_)
    server_ =
        std::make_unique<HttpServer>([](const std::string&) { return HttpReply{.status = 404}; });
  const auto answer = [this, name, count = port.local_endpoints](const std::string&) {
    return health_answer(name, count->load(), healthy_());
  };
  port.number = port.check.port;
  for (const auto& address : port.asked) {
    const auto opened = listen_as_go(*server_, {address, port.number}, answer);
    if (!opened) {
      close(port);
      return Failure(opened.error());
    }
    port.at.push_back(*opened);
  }
  return {};
}

void HealthPorts::settle() {
  for (Port& port : leaving_) close(port);
  leaving_.clear();
  const auto wanted = addresses_.empty() ? std::vector{IpAddress::any(Family::kIpv4)} : addresses_;
  // What one gives up another one may have.
  for (auto& [name, port] : ports_)
    if (port.number != 0 && (port.number != port.check.port || port.asked != wanted)) close(port);
  for (auto& [name, port] : ports_) {
    if (port.number != 0) continue;
    port.asked = wanted;
    const Status opened = open(name, port);
    if (!opened && !std::exchange(port.told, true)) {
      spdlog::warn("health check of the service {}: {}", name.to_string(), opened.error().text());
      refused_(name, opened.error().text());
    }
    if (opened) port.told = false;
  }
}

}  // namespace weft::service
