// http_connection.h: one TCP or TLS connection for one call, one operation at a time.
//
// Each operation ends with its success, its failure, at its deadline (asio::error::timed_out) or
// when a stop is requested (any error), whichever comes first. After a failure the connection is
// of no more use. For one thread; the stop may come from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "store/http_tls.h"

namespace weft {

class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;
  using ErrorCode = boost::system::error_code;

  explicit HttpConnection(const std::stop_token& stop);

  /// Tries the addresses of `host` in turn, each for `patience`.
  ErrorCode connect(const std::string& host, std::uint16_t port,
                    std::chrono::milliseconds patience);
  /// REQUIRES connect(). Everything after it goes through TLS.
  ErrorCode start_tls(TlsContext context, const std::string& host, Clock::time_point deadline);
  ErrorCode write(std::string_view bytes, Clock::time_point deadline);
  /// Waits for at least one byte and sets `got`.
  ErrorCode read_some(boost::asio::mutable_buffer space, std::size_t& got,
                      Clock::time_point deadline);

  /// Why the certificate that the server showed was not accepted; may be empty.
  std::string certificate_trouble() const;

 private:
  using Tcp = boost::asio::ip::tcp;

  template <class Start>
  ErrorCode run(Clock::time_point deadline, Start start);
  void close();

  boost::asio::io_context io_{1};
  Tcp::socket socket_{io_};
  std::optional<boost::asio::ssl::context> tls_context_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  std::size_t transferred_ = 0;                        // by the last operation
  std::stop_callback<std::function<void()>> on_stop_;  // last: it posts into io_
};

}  // namespace weft
