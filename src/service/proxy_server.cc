#include "service/proxy_server.h"

#include <cerrno>
#include <utility>

#include "base/unix_time.h"

namespace weft::service {
namespace {

constexpr const char* kJson = "application/json";

// Each page is a moment in which no change comes in.
constexpr std::size_t kServicesAtOnce = 200;

// Behind which service a page begins: an empty one for the first page. Nothing: it is no page.
std::optional<std::optional<ServiceName>> parse_page(std::string_view path) {
  constexpr std::string_view kFirst = "/services";
  constexpr std::string_view kAfter = "/services/after/";
  if (path == kFirst) return std::optional<ServiceName>();
  if (!path.starts_with(kAfter)) return std::nullopt;
  const std::string_view name = path.substr(kAfter.size());
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return ServiceName{std::string(name.substr(0, slash)), std::string(name.substr(slash + 1))};
}

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
  Status first_failure;
  const auto open = [&](bool& is_open, const std::string& where, HttpServer::Handler own) {
    const auto address = BindAddress::parse(where);
    if (is_open || !address) return;
    const auto opened = listen_as_go(server_, *address, std::move(own));
    is_open = opened.has_value();
    if (!opened && first_failure) first_failure = Failure(opened.error());
  };
  open(at_health_, about_.config.healthz_bind_address,
       [this](const std::string& path) { return health(path); });
  open(at_metrics_, about_.config.metrics_bind_address,
       [this](const std::string& path) { return metrics(path); });
  return first_failure;
}

Status ProxyServer::listen_locally() {
  if (at_socket_ || about_.socket.empty()) return {};
  RETURN_IF_ERROR(server_.listen(about_.socket));
  at_socket_ = true;
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

HttpReply ProxyServer::services(const std::string& path) const {
  const auto first = parse_page(path);
  if (!first) return {.status = 404, .body = "there is /services\n"};
  StatusPage page = about_.services.status(*first, kServicesAtOnce, about_.families, plan_.copy());
  const ProxyHealth health = about_.record.health(ProxyRecord::Clock::now());
  return {.body = to_text({{"version", WEFT_VERSION},
                           {"mode", about_.mode},
                           {"node", about_.node.name()},
                           {"ready", health.last_updated.has_value()},
                           {"trouble", health.trouble},
                           {"services", std::move(page.services)},
                           {"more", page.more}}),
          .type = kJson};
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
