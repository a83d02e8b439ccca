// http_client.h: one HTTP POST with JSON, over TCP or TLS.
//
// Each call opens a connection of its own and reads the certificate files afresh: stores are
// asked seldom, a restarted server leaves no dead connection behind, and renewed
// certificates count from the next call on. Nothing is shared, so that every function may be
// called from any thread. A stop request ends a call at once, also one that is connecting (but
// not while a host name is being looked up).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

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

struct HttpOptions {
  std::string ca_file;           ///< PEM; the system's authorities when empty
  std::string certificate_file;  ///< PEM with its chain, when the server wants to know us
  std::string key_file;          ///< PEM without a pass phrase
  std::chrono::milliseconds connect_timeout{3000};  ///< for TCP, and again for TLS
  std::chrono::milliseconds read_timeout{5000};     ///< between two pieces of an answer
};

struct HttpPost {
  std::string path;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// More than this is no answer of a store.
constexpr std::size_t kLargestAnswer = 64U << 20U;

/// Sends the post and reads the whole answer, whatever its status. An Error names the endpoint;
/// its number is ETIMEDOUT, ECANCELED (stopped), EMSGSIZE (answer too large), ECONNREFUSED (no
/// connection: certainly not sent) or 0.
Result<HttpAnswer> http_post(const HttpEndpoint& endpoint, const HttpOptions& options,
                             const HttpPost& post, const std::stop_token& stop);

/// The same for an answer without end: `receive` gets each piece of a 200 as it comes and ends
/// the call by returning false, which is success. The body of another status is handed back.
/// When nothing came for `read_timeout` the Error's number is ETIMEDOUT.
Result<HttpAnswer> http_post_stream(const HttpEndpoint& endpoint, const HttpOptions& options,
                                    const HttpPost& post, const std::stop_token& stop,
                                    const std::function<bool(std::string_view)>& receive);

}  // namespace weft
