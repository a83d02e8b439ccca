// http_server.h: the small HTTP server of a daemon: health, readiness, numbers, status.
//
// GET and HEAD only, one request a connection, nothing is read of a body. Whoever may reach the
// port may be hostile: a request of more than 8 KiB, a connection of more than 10 s and the
// 33rd connection at a time are ended.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace weft {

struct HttpReply {
  int status = 200;
  std::string body = {};
  std::string type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< more of them
};

/// listen(), close() are for one thread at a time.
class HttpServer {
 public:
  /// Called on the server's own thread with a path, its query cut off ("/healthz"). Must not
  /// wait for anything: meanwhile nobody else is answered.
  using Handler = std::function<HttpReply(const std::string& path)>;

  explicit HttpServer(Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Ends what is under way.
  ~HttpServer();

  /// Answers at a TCP port (0: any free one) from now on, with the server's handler or with one of
  /// its own; returns the port. At :: it answers IPv4, too. EADDRINUSE when another program has it.
  Result<std::uint16_t> listen(const IpAddress& address, std::uint16_t port, Handler own = {});
  /// Ends that; connections that are open go on. When this returns another one may have the port.
  void close(const IpAddress& address, std::uint16_t port);
  /// Answers at a unix socket that root alone may use. A socket there that nobody listens at is
  /// replaced; EADDRINUSE when somebody does.
  Status listen(const std::string& path);

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace weft
