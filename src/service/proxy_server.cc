#include "service/proxy_server.h"

#include <cerrno>
#include <utility>

#include "base/unix_time.h"

namespace weft::service {
namespace {

constexpr const char* kJson = "application/json";

// Go's zero time, for what has never happened.
std::string time_text(const std::optional<WallTime>& time) {
  return time ? print_precise_time(*time) : "0001-01-01T00:00:00Z";
}

}  // namespace

Result<IpAddress> listen_as_go(HttpServer& server, const BindAddress& where,
                               HttpServer::Handler own) {
  if (where.address.is_unspecified()) {
    const IpAddress any = IpAddress::any(Family::kIpv6);
    const auto everywhere = server.listen(any, where.port, own);
    if (everywhere) return any;
    const int number = everywhere.error().number;
    if (number != EAFNOSUPPORT && number != EADDRNOTAVAIL) return Failure(everywhere.error());
  }
  RETURN_IF_ERROR(server.listen(where.address, where.port, std::move(own)));
  return where.address;
}

Status ProxyServer::listen() {
  const auto health_at = BindAddress::parse(about_.config.healthz_bind_address);
  if (!at_health_ && health_at) {
    RETURN_IF_ERROR(listen_as_go(server_, *health_at,
                                 [this](const std::string& path) { return health(path); }));
    at_health_ = true;
  }
  const auto metrics_at = BindAddress::parse(about_.config.metrics_bind_address);
  if (!at_metrics_ && metrics_at) {
    RETURN_IF_ERROR(listen_as_go(server_, *metrics_at));
    at_metrics_ = true;
  }
  return {};
}

HttpReply ProxyServer::health(const std::string& path) const {
  const bool about_node = path == "/healthz";
  if (!about_node && path != "/livez")
    return {.status = 404, .body = "there are /healthz and /livez\n"};
  const ProxyHealth proxy = about_.record.health(ProxyRecord::Clock::now());
  const WallTime now = std::chrono::system_clock::now();
  const bool eligible = about_.node.eligible();
  const bool well = proxy.healthy && (!about_node || eligible);
  Json body = {{"lastUpdated", time_text(well ? now : proxy.last_updated)},
               {"currentTime", time_text(now)}};
  if (about_node) body["nodeEligible"] = eligible;
  body["healthy"] = proxy.healthy;
  if (proxy.last_updated)
    for (const Family family : about_.families)
      body["status"][std::string(to_string(family))] = {
          {"lastUpdated", time_text(proxy.last_updated)}, {"healthy", proxy.healthy}};
  const int code = well ? 200 : 503;
  about_.record.answered(path.substr(1), code);
  return {.status = code,
          .body = to_text(body),
          .type = kJson,
          .headers = {{"X-Content-Type-Options", "nosniff"}}};
}

HttpReply ProxyServer::metrics(const std::string& path) const {
  if (path == "/metrics")
    return {.body = about_.record.metrics(about_.services.waiting()), .type = kMetricsType};
  if (path == "/proxyMode")
    return {.body = about_.mode, .headers = {{"X-Content-Type-Options", "nosniff"}}};
  if (path == "/healthz") return {.body = "ok"};
  if (path == "/configz")
    return {.body = to_text({{"kubeproxy.config.k8s.io", to_json(about_.config)}}), .type = kJson};
  return {.status = 404, .body = "there are /metrics, /proxyMode, /configz and /healthz\n"};
}

}  // namespace weft::service
