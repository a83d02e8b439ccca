// http_endpoint.h: where an HTTP server listens, as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

struct HttpEndpoint {
  bool tls = false;
  std::string host;  ///< a name, or an address without brackets
  std::uint16_t port = 0;

  /// "https://etcd.example:2379", "http://[::1]:2379", "127.0.0.1:2379" (then http). A path
  /// other than "/" and user names are refused; without a port it is `default_port`.
  static std::optional<HttpEndpoint> parse(std::string_view text, std::uint16_t default_port);
  /// "https://etcd.example:2379"
  std::string to_string() const;
  bool operator==(const HttpEndpoint&) const = default;
};

}  // namespace weft
