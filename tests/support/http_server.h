// http_server.h: a server on loopback that answers HTTP with exactly the bytes a test wants,
// also with those that no real server would send.
#pragma once

#include <functional>
#include <list>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/fd.h"

namespace weft::test {

class HttpServer {
 public:
  /// One connection, as the answering side sees it.
  class Peer {
   public:
    Peer(int socket, std::stop_token stop) : socket_(socket), stop_(std::move(stop)) {}
    /// False once the client or the server has gone.
    bool send(std::string_view bytes) const;
    /// Waits until the client or the server has gone.
    void stall() const;

   private:
    int socket_;
    std::stop_token stop_;
  };
  struct Request {
    std::string head;  ///< up to the empty line
    std::string body;
    bool asks(std::string_view path) const;
  };
  using Handler = std::function<void(const Request&, const Peer&)>;

  /// `answer` is called on a thread of each connection; the connection ends when it returns.
  explicit HttpServer(Handler answer);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  std::uint16_t port() const { return port_; }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void accept_all(const std::stop_token& stop);
  void serve(const Fd& socket, const std::stop_token& stop) const;

  const Handler answer_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::list<std::jthread> connections_;  // of the accepting thread
  std::jthread acceptor_;
};

/// A whole answer with its length.
std::string http_answer(int status, std::string_view body,
                        std::string_view type = "application/json");

}  // namespace weft::test
