// http_ask.h: asks an HttpServer of ours at its unix socket.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "serve/http_server.h"

namespace weft {

/// The whole answer to GET `path`. ENOENT or ECONNREFUSED when nobody listens there, EACCES for
/// other users than root, ETIMEDOUT when no whole answer has come within `patience`.
Result<HttpReply> http_ask(const std::string& socket, const std::string& path,
                           std::chrono::milliseconds patience);

}  // namespace weft
