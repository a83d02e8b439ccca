// etcd_client.h: the calls of etcd's v3 API that leases need, over its HTTP/JSON gateway.
//
// A call goes to the endpoint that answered last, and to the next one when it cannot be
// reached, does not answer in time or has no leader. Each call has its time limits. With a
// user name the client logs in at the first call and again when its token is refused. All
// members may be called from any thread; no lock is held during a call.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/lock_guarded.h"
#include "base/result.h"
#include "store/etcd_message.h"
#include "store/http_client.h"

namespace weft {

struct EtcdOptions {
  std::vector<std::string> endpoints = {"http://127.0.0.1:2379"};
  std::string prefix = "/coreos.com/network";  ///< cleaned as by Go's path.Join
  std::string ca_file = {};                    ///< alone is enough for TLS
  std::string certificate_file = {};           ///< together with key_file
  std::string key_file = {};
  std::string username = {};
  std::string password = {};  ///< never in a log or an Error
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds request_timeout{5000};  ///< between two pieces of an answer
  /// A watch that is silent for so long is opened anew where it was: behind a dead middlebox
  /// silence is all there is.
  std::chrono::milliseconds watch_silence{30'000};
};

class EtcdClient {
 public:
  /// Refuses malformed endpoints and half a client certificate. Connects to nothing yet.
  static Result<std::unique_ptr<EtcdClient>> open(const EtcdOptions& options);

  /// "http://a:2379,http://b:2379"
  std::string endpoints() const;

  struct Range {
    std::string key;
    std::string end = {};       ///< exclusive; empty for the one key
    std::int64_t limit = 0;     ///< 0: all
    std::int64_t revision = 0;  ///< 0: the latest
  };
  /// In the order of the keys, which is etcd's own when no sort is asked for. An Error's number
  /// is ESTALE when the revision has been compacted away.
  Result<EtcdPage> range(const Range& range, const std::stop_token& stop = {});

  /// The one change that weft makes: put or remove a key if it is still at a revision.
  struct Change {
    std::string key;
    std::int64_t seen = 0;             ///< mod_revision; 0: there is no such key
    std::optional<std::string> value;  ///< nothing: remove
    std::int64_t lease = 0;            ///< 0: none
  };
  struct Outcome {
    bool done = false;
    std::int64_t revision = 0;            ///< of the store after the change
    std::optional<EtcdKeyValue> current;  ///< when not done: what stands there
  };
  Result<Outcome> change_if(const Change& change, const std::stop_token& stop = {});

  struct Grant {
    std::int64_t id = 0;
    std::chrono::seconds ttl{0};  ///< as granted: etcd has a least one
  };
  Result<Grant> grant(std::chrono::seconds ttl, const std::stop_token& stop = {});
  Status revoke(std::int64_t id, const std::stop_token& stop = {});
  /// Nothing when there is no such lease any more.
  Result<std::optional<std::chrono::seconds>> time_to_live(std::int64_t id,
                                                           const std::stop_token& stop = {});

  /// Streams what happens to the keys from `start_revision` on until `receive` returns false or
  /// etcd ends it (success), or the stream breaks or `stop` is requested (ECANCELED). After a
  /// silence the Error's number is ETIMEDOUT. One endpoint a call; after an Error it is the turn
  /// of the next one.
  Status watch(const Range& keys, std::int64_t start_revision, const std::stop_token& stop,
               const std::function<bool(std::string_view)>& receive);

 private:
  EtcdClient(EtcdOptions options, std::vector<HttpEndpoint> endpoints);

  Result<HttpAnswer> try_endpoints(const HttpRequest& post, const std::stop_token& stop);
  Result<Json> call(const std::string& path, const Json& body, const std::stop_token& stop);
  Result<std::string> token(const std::stop_token& stop);
  bool forget_refused_token(const std::string& token, const HttpAnswer& answer);
  HttpOptions http_options() const;
  Failure refused(const std::string& path, const HttpAnswer& answer) const;

  const EtcdOptions options_;
  const std::vector<HttpEndpoint> endpoints_;
  std::atomic<std::size_t> last_good_{0};
  LockGuarded<std::string> token_;  // empty until logged in
};

}  // namespace weft
