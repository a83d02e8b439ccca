#include "serve/http_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <future>
#include <map>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>

namespace weft {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kLongestRequest = 8192;
constexpr std::size_t kMostConnections = 32;
constexpr std::chrono::seconds kLongestConnection{10};

using SharedHandler = std::shared_ptr<const HttpServer::Handler>;

std::string answer_text(const HttpReply& reply, bool with_body) {
  const std::string reason(
      http::obsolete_reason(static_cast<http::status>(static_cast<unsigned>(reply.status))));
  std::string more;
  for (const auto& [name, value] : reply.headers)
    more.append("\r\n").append(name).append(": ").append(value);
  return "HTTP/1.1 " + std::to_string(reply.status) + " " + reason +
         "\r\nContent-Type: " + reply.type +
         "\r\nContent-Length: " + std::to_string(reply.body.size()) +
         "\r\nCache-Control: no-store\r\nConnection: close" + more + "\r\n\r\n" +
         (with_body ? reply.body : std::string());
}

// One connection: a request, an answer, the end. Kept alive by its operations.
template <class Protocol>
class Session : public std::enable_shared_from_this<Session<Protocol>> {
 public:
  Session(typename Protocol::socket socket, SharedHandler handler, std::shared_ptr<void> place)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        handler_(std::move(handler)),
        place_(std::move(place)) {
    parser_.header_limit(kLongestRequest);
  }

  void start() {
    timer_.expires_after(kLongestConnection);
    timer_.async_wait([self = this->shared_from_this()](const ErrorCode& error) {
      if (!error) self->close();
    });
    read();
  }

 private:
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

  void read() {
    socket_.async_read_some(
        buffer_.prepare(kLongestRequest - buffer_.size()),
        [self = this->shared_from_this()](const ErrorCode& error, std::size_t got) {
          if (error) return self->close();
          self->buffer_.commit(got);
          self->parse();
        });
  }

  void parse() {
    ErrorCode error;
    buffer_.consume(parser_.put(buffer_.data(), error));
    if (parser_.is_header_done()) return answer(reply(), parser_.get().method());
    if (error == http::error::need_more && buffer_.size() < kLongestRequest) return read();
    answer({.status = 400, .body = "this is no HTTP request\n"}, http::verb::get);
  }

  HttpReply reply() {
    const auto method = parser_.get().method();
    if (method != http::verb::get && method != http::verb::head)
      return {.status = 405, .body = "only GET and HEAD are answered here\n"};
    const std::string target(parser_.get().target());
    return (*handler_)(target.substr(0, target.find('?')));
  }

  void answer(const HttpReply& reply, http::verb method) {
    text_ = answer_text(reply, method != http::verb::head);
    asio::async_write(socket_, asio::buffer(text_),
                      [self = this->shared_from_this()](const ErrorCode&, std::size_t) {
                        ErrorCode ignored;
                        self->socket_.shutdown(Protocol::socket::shutdown_both, ignored);
                        self->close();
                      });
  }

  typename Protocol::socket socket_;
  asio::steady_timer timer_;
  const SharedHandler handler_;
  std::shared_ptr<void> place_;  // among the connections that may be open at a time
  boost::beast::flat_buffer buffer_{kLongestRequest};
  http::request_parser<http::empty_body> parser_;
  std::string text_;
};

// A program that a daemon runs would go on holding the port when the daemon has ended.
template <class Socket>
void keep_from_children(Socket& socket) {
  if (socket.is_open()) ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

Failure not_listening(const std::string& where, const ErrorCode& error) {
  Failure failure = fail_errno("listening at " + where, error.value());
  if (error == asio::error::address_in_use)
    failure.value().next = "another program has it; end that one or take another port";
  return failure;
}

}  // namespace

class HttpServer::Inside {
 public:
  explicit Inside(Handler handler)
      : handler_(std::make_shared<const Handler>(std::move(handler))) {}
  ~Inside() {
    io_.stop();
    thread_.join();
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  Result<std::uint16_t> listen(const IpAddress& address, std::uint16_t port, Handler own) {
    ErrorCode error;
    const auto bytes = asio::ip::make_address(address.to_string(), error);
    const Tcp::endpoint where(bytes, port);
    auto acceptor = std::make_shared<Tcp::acceptor>(io_);
    if (!error) acceptor->open(where.protocol(), error);
    keep_from_children(*acceptor);
    // Both are about this program alone; without them a restart may have to wait.
    ErrorCode ignored;
    acceptor->set_option(Tcp::acceptor::reuse_address(true), ignored);
    if (!error) acceptor->bind(where, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) return not_listening(address.to_string() + ":" + std::to_string(port), error);
    const std::uint16_t bound = acceptor->local_endpoint(ignored).port();
    const auto handler = own ? std::make_shared<const Handler>(std::move(own)) : handler_;
    asio::post(io_, [this, acceptor, handler] { accept<Tcp>(acceptor, handler); });
    ports_[{address, bound}] = acceptor;
    return bound;
  }

  void close(const IpAddress& address, std::uint16_t port) {
    const auto found = ports_.extract({address, port});
    if (!found) return;
    std::promise<void> closed;
    asio::post(io_, [&] {
      ErrorCode ignored;
      found.mapped()->close(ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  Status listen(const std::string& path) {
    using Local = asio::local::stream_protocol;
    ErrorCode error;
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      return fail("the path of the socket " + path + " is too long");
    Local::socket probe(io_);
    if (!probe.connect(Local::endpoint(path), error))
      return not_listening(path, asio::error::address_in_use);
    if (error == asio::error::connection_refused) ::unlink(path.c_str());
    error = {};
    auto acceptor = std::make_shared<Local::acceptor>(io_);
    acceptor->open(Local(), error);
    keep_from_children(*acceptor);
    if (!error) acceptor->bind(Local::endpoint(path), error);
    // Before it listens: nobody has got in by then.
    if (!error && ::chmod(path.c_str(), 0600) != 0) error.assign(errno, error.category());
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) return not_listening(path, error);
    path_ = path;
    asio::post(io_, [this, acceptor] { accept<Local>(acceptor, handler_); });
    return {};
  }

 private:
  template <class Protocol>
  void accept(const std::shared_ptr<typename Protocol::acceptor>& acceptor,
              const SharedHandler& handler) {
    acceptor->async_accept(
        [this, acceptor, handler](const ErrorCode& error, typename Protocol::socket socket) {
          if (error == asio::error::operation_aborted || !acceptor->is_open()) return;
          // The count of those who share this place is the count of open connections and one.
          keep_from_children(socket);
          if (!error && static_cast<std::size_t>(places_.use_count()) <= kMostConnections)
            std::make_shared<Session<Protocol>>(std::move(socket), handler, places_)->start();
          if (!error) return accept<Protocol>(acceptor, handler);
          // Out of descriptors: those that are open have to end first.
          auto pause = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(100));
          pause->async_wait([this, acceptor, handler, pause](const ErrorCode&) {
            if (acceptor->is_open()) accept<Protocol>(acceptor, handler);
          });
        });
  }

  using Tcp = asio::ip::tcp;

  const SharedHandler handler_;
  asio::io_context io_{1};  // acceptors are part of it, so it outlives them
  std::map<std::pair<IpAddress, std::uint16_t>, std::shared_ptr<Tcp::acceptor>> ports_;
  std::shared_ptr<void> places_ = std::make_shared<char>();
  std::string path_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::jthread thread_{[this] { io_.run(); }};
};

HttpServer::HttpServer(Handler handler) : inside_(std::make_unique<Inside>(std::move(handler))) {}
HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::listen(const IpAddress& address, std::uint16_t port,
                                         Handler own) {
  return inside_->listen(address, port, std::move(own));
}

void HttpServer::close(const IpAddress& address, std::uint16_t port) {
  inside_->close(address, port);
}

Status HttpServer::listen(const std::string& path) {
  return inside_->listen(path);
}

}  // namespace weft
