// kube_client.h: calls of the Kubernetes API: single ones in JSON, what is listed and watched in
// its protobuf encoding (kube_message.h), which costs the server a fraction of the time.
//
// Every call opens a connection of its own (see http_client.h) and reads the files of its
// access afresh, so that a rotated token or certificate counts from the next call on. A token
// that is refused is read again and the call repeated once where the file holds another one by
// now. All members may be called from any thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/http_client.h"
#include "store/kube_access.h"

namespace weft {

class KubeClient {
 public:
  explicit KubeClient(KubeAccess access) : access_(std::move(access)) {}

  std::string describe() const { return access_.describe(); }

  struct Call {
    std::string method = "GET";
    std::string path;  ///< with its query: "/api/v1/nodes?limit=500"
    std::string body = {};
    std::string content_type = "application/json";
    /// For an Error: "GET /api/v1/nodes".
    std::string describe() const;
  };
  struct Patience {
    std::chrono::milliseconds silence{10'000};  ///< between two pieces of an answer
    std::chrono::milliseconds whole{60'000};    ///< for all of it
  };

  /// The body of a 2xx. An Error of a refusal has the server's own words, and as its number
  /// ESTALE for 410 (Gone), ENOENT for 404, EACCES for 401, EPERM for 403, EEXIST for 409,
  /// EAGAIN for 429; otherwise those of http_call().
  Result<std::string> call(const Call& call, const std::stop_token& stop = {}) const;

  /// The same in protobuf, and the body goes to `receive` piece by piece, nothing at first (see
  /// http_stream()); it ends the call by returning false, which is success. A body of another type
  /// is an Error.
  Status stream(const Call& call, const Patience& patience, const std::stop_token& stop,
                const std::function<bool(std::string_view)>& receive) const;

 private:
  using Receiver = std::function<bool(std::string_view)>;
  Result<HttpAnswer> ask(const Call& call, const HttpOptions& options, const std::stop_token& stop,
                         const Receiver& receive) const;
  Result<std::string> credentials() const;

  const KubeAccess access_;
};

}  // namespace weft
