// http_client.h: one HTTP POST with JSON, over TCP or TLS.
//
// Each call opens a connection of its own and reads the certificate files afresh: stores are
// asked seldom, a restarted server leaves no dead connection behind, and renewed
// certificates count from the next call on. Nothing is shared, so that every function may be
// called from any thread. A stop request ends a call at once, also one that is connecting (but
// not while a host name is being looked up).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/http_endpoint.h"

namespace weft {

struct HttpOptions {
  std::string ca_file;           ///< PEM; the system's authorities when empty
  std::string certificate_file;  ///< PEM with its chain, when the server wants to know us
  std::string key_file;          ///< PEM without a pass phrase
  std::chrono::milliseconds connect_timeout{3000};  ///< for TCP, and again for TLS
  /// For the answer's header, and then between two pieces of its body.
  std::chrono::milliseconds read_timeout{5000};
  /// For a whole call, so that a server that drips cannot hold it; of a stream, until the
  /// header is there.
  std::chrono::milliseconds total_timeout{30'000};
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
