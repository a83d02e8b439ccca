// http_client.h: one HTTP request, over TCP or TLS, straight or through a proxy.
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
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/http_endpoint.h"

namespace weft {

/// A proxy that is spoken to in plain text and asked to CONNECT (RFC 9110 section 9.3.6).
struct HttpProxy {
  HttpEndpoint endpoint;
  std::string credentials = {};  ///< "user:password", or empty; never in a log or an Error
};

struct HttpOptions {
  std::string ca_file = {};           ///< PEM; the system's authorities when empty
  std::string certificate_file = {};  ///< PEM with its chain, when the server wants to know us
  std::string key_file = {};          ///< PEM without a pass phrase
  /// The same as text in place of a file: a kubeconfig may hold all three.
  std::string ca_pem = {};
  std::string certificate_pem = {};
  std::string key_pem = {};
  std::string server_name = {};         ///< expected in the certificate; the host when empty
  bool any_certificate = false;         ///< whoever answers is believed
  std::optional<HttpProxy> proxy = {};  ///< asked for a tunnel to the endpoint
  std::chrono::milliseconds connect_timeout{3000};  ///< for TCP, and again for TLS
  /// For the answer's header, and then between two pieces of its body.
  std::chrono::milliseconds read_timeout{5000};
  /// For a whole call, so that a server that drips cannot hold it; of a stream, until the
  /// header is there.
  std::chrono::milliseconds total_timeout{30'000};
  /// For a whole stream, from its header on; 0: as long as something comes.
  std::chrono::milliseconds stream_timeout{0};
};

struct HttpRequest {
  std::string method = "POST";
  std::string path;  ///< with its query
  std::string body = {};
  std::string content_type = "application/json";  ///< of the body
  std::string accept = {};                        ///< the media type that is wanted; any when empty
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct HttpAnswer {
  int status = 0;
  std::string body = {};
  std::string content_type = {};  ///< of the body, as the server says it
};

/// More than this is no answer of a store.
constexpr std::size_t kLargestAnswer = 64U << 20U;

/// Sends the request and reads the whole answer, whatever its status. An Error names the endpoint;
/// its number is ETIMEDOUT, ECANCELED (stopped), EMSGSIZE (answer too large), ECONNREFUSED (no
/// connection: certainly not sent) or 0.
Result<HttpAnswer> http_call(const HttpEndpoint& endpoint, const HttpOptions& options,
                             const HttpRequest& request, const std::stop_token& stop);

/// Whether a Content-Type is of this media type, whatever its parameters.
bool is_media_type(std::string_view content_type, std::string_view media_type);

/// The same for an answer without end: `receive` gets each piece of a 200 as it comes, and nothing
/// at first, when the server has agreed and may be silent for long. It ends the call by returning
/// false, which is success. The body of another status is handed back. A
/// 200 of another type than `accept` is not read: it is handed back without its body.
/// When nothing came for `read_timeout`, or not all within `stream_timeout`, the Error's number
/// is ETIMEDOUT.
Result<HttpAnswer> http_stream(const HttpEndpoint& endpoint, const HttpOptions& options,
                               const HttpRequest& request, const std::stop_token& stop,
                               const std::function<bool(std::string_view)>& receive);

}  // namespace weft
