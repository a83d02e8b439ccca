#include "store/http_endpoint.h"

#include <algorithm>

#include "base/text.h"

namespace weft {

std::optional<HttpEndpoint> HttpEndpoint::parse(std::string_view text, std::uint16_t default_port) {
  HttpEndpoint endpoint{.tls = false, .host = {}, .port = default_port};
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    endpoint.tls = text.substr(0, scheme) == "https";
    if (!endpoint.tls && text.substr(0, scheme) != "http") return std::nullopt;
    text.remove_prefix(scheme + 3);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  const bool bracketed = text.starts_with('[');
  const auto host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) return std::nullopt;
  endpoint.host = text.substr(bracketed ? 1 : 0, bracketed ? host_end - 1 : host_end);
  std::string_view rest = text.substr(std::min(host_end, text.size()));
  if (bracketed) rest.remove_prefix(1);
  if (!rest.empty()) {
    const auto port = rest[0] == ':' ? parse_number(rest.substr(1)) : std::nullopt;
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    endpoint.port = static_cast<std::uint16_t>(*port);
  }
  const bool strange = endpoint.host.find_first_of("/@?#[] \t\r\n") != std::string::npos;
  if (endpoint.host.empty() || strange) return std::nullopt;
  return endpoint;
}

std::string HttpEndpoint::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return std::string(tls ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

}  // namespace weft
