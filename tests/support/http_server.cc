#include "support/http_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>

namespace weft::test {
namespace {

// Short, so that a server that is to end is not waited for.
constexpr int kLookAround = 20;

bool readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, kLookAround) == 1;
}

std::size_t content_length(const std::string& head) {
  const std::string name = "Content-Length: ";
  const auto found = head.find(name);
  return found == std::string::npos ? 0
                                    : std::strtoul(head.c_str() + found + name.size(), nullptr, 10);
}

}  // namespace

bool HttpServer::Peer::send(std::string_view bytes) const {
  while (!bytes.empty() && !stop_.stop_requested()) {
    pollfd polled{socket_, POLLOUT, 0};
    if (::poll(&polled, 1, kLookAround) == 0) continue;
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return bytes.empty();
}

void HttpServer::Peer::stall() const {
  char byte = 0;
  while (!stop_.stop_requested())
    if (readable(socket_) && ::recv(socket_, &byte, 1, 0) <= 0) return;
}

bool HttpServer::Request::asks(std::string_view path) const {
  return head.starts_with("POST " + std::string(path) + " ");
}

HttpServer::HttpServer(Handler answer)
    : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

HttpServer::~HttpServer() {
  acceptor_.request_stop();
  acceptor_.join();
}

void HttpServer::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(listener_.get())) continue;
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.empty())
      connections_.emplace_back([this, socket = std::move(socket)](const std::stop_token& ending) {
        serve(socket, ending);
      });
  }
  connections_.clear();
}

void HttpServer::serve(const Fd& socket, const std::stop_token& stop) const {
  std::string text;
  char piece[4096];
  while (!stop.stop_requested()) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const Request request{.head = text.substr(0, end), .body = text.substr(end + 4)};
      if (request.body.size() >= content_length(request.head))
        return answer_(request, Peer(socket.get(), stop));
    }
    if (!readable(socket.get())) continue;
    const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
    if (got <= 0) return;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

std::string http_answer(int status, std::string_view body, std::string_view type) {
  return "HTTP/1.1 " + std::to_string(status) + " So\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace weft::test
