#include "store/http_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace weft {
namespace {

namespace asio = boost::asio;

// A peer that has lost its power is noticed after half a minute instead of never.
void set_socket_options(int socket) {
  const auto set = [socket](int level, int name, int value) {
    ::setsockopt(socket, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

}  // namespace

HttpConnection::HttpConnection(const std::stop_token& stop)
    : on_stop_(stop, [this] { asio::post(io_, [this] { close(); }); }) {}

void HttpConnection::close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

// Starts one operation and drives the loop until it has ended. Closing the socket ends it with
// an error, so that nothing it refers to is gone before it.
template <class Start>
HttpConnection::ErrorCode HttpConnection::run(Clock::time_point deadline, Start start) {
  std::optional<ErrorCode> ended;
  bool late = false;
  start([&](const ErrorCode& error, std::size_t count = 0) {
    ended = error;
    transferred_ = count;
  });
  io_.restart();
  while (!ended) {
    if (late) {
      io_.run_one();
    } else if (io_.run_one_until(deadline) == 0) {
      late = true;
      close();
    }
  }
  return late ? ErrorCode(asio::error::timed_out) : *ended;
}

// Names are looked up by the C library, which cannot be interrupted, in this very thread.
HttpConnection::ErrorCode HttpConnection::connect(const std::string& host, std::uint16_t port,
                                                  std::chrono::milliseconds patience) {
  ErrorCode error;
  const auto addresses =
      Tcp::resolver(io_).resolve(host, std::to_string(port), Tcp::resolver::numeric_service, error);
  if (error) return error;
  for (const auto& entry : addresses) {
    close();
    if (socket_.open(entry.endpoint().protocol(), error)) continue;
    set_socket_options(socket_.native_handle());
    error = run(Clock::now() + patience,
                [&](auto done) { socket_.async_connect(entry.endpoint(), std::move(done)); });
    if (!error || error == asio::error::operation_aborted) break;
  }
  return error;
}

HttpConnection::ErrorCode HttpConnection::start_tls(TlsContext context, const std::string& host,
                                                    Clock::time_point deadline) {
  tls_context_.emplace(context.release());
  tls_.emplace(socket_, *tls_context_);
  if (!expect_host(tls_->native_handle(), host)) return asio::error::invalid_argument;
  return run(deadline, [&](auto done) {
    tls_->async_handshake(asio::ssl::stream_base::client, std::move(done));
  });
}

HttpConnection::ErrorCode HttpConnection::write(std::string_view bytes,
                                                Clock::time_point deadline) {
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  return run(deadline, [&](auto done) {
    if (tls_)
      asio::async_write(*tls_, buffer, std::move(done));
    else
      asio::async_write(socket_, buffer, std::move(done));
  });
}

HttpConnection::ErrorCode HttpConnection::read_some(asio::mutable_buffer space, std::size_t& got,
                                                    Clock::time_point deadline) {
  const auto error = run(deadline, [&](auto done) {
    if (tls_)
      tls_->async_read_some(space, std::move(done));
    else
      socket_.async_read_some(space, std::move(done));
  });
  got = transferred_;
  return error;
}

std::string HttpConnection::certificate_trouble() const {
  // native_handle() is not const, and changes nothing.
  return tls_ ? weft::certificate_trouble(const_cast<decltype(tls_)&>(tls_)->native_handle()) : "";
}

}  // namespace weft
