// tcp_pool.h: the TCP connections of one worker, within limits.
//
// Nobody can take all of them: a client has so many at most, and when all are taken the one that
// would be closed next makes way for the new one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "dns/handler.h"
#include "dns/listen_address.h"
#include "dns/poller.h"
#include "dns/tcp_connection.h"

namespace weft::dns {

struct TcpLimits {
  std::size_t connections = 1024;  ///< of one worker
  std::size_t of_a_client = 128;
  TcpPatience patience = {};
};

class TcpPool {
 public:
  using Time = TcpConnection::Time;

  /// `poller` must outlive it.
  TcpPool(Poller& poller, const TcpLimits& limits) : poller_(poller), limits_(limits) {}

  /// As for UdpListener::open().
  Status listen(const ListenAddress& local);
  /// Goes on with a socket that listens already.
  Status adopt(Fd listener);
  const std::vector<Fd>& listeners() const { return listeners_; }
  /// The port of the last listen(), also where it was left to the kernel.
  Result<std::uint16_t> port() const;

  /// Serves the descriptor, for which `events` have come, if it is one of the pool's; false for
  /// any other.
  bool serve(int fd, std::uint32_t events, Handler& handler, std::span<char> room, Time now);
  /// An answer that was not there when its query was served.
  void send(const Client& client, std::string_view message, Time now);
  /// Closes what has been silent for too long.
  void sweep(Time now);
  std::size_t size() const { return connections_.size(); }
  /// Answers what has come so far, on connections that wait to be accepted too.
  void serve_rest(Handler& handler, std::span<char> room, Time now);

 private:
  void accept_from(int listener, Handler& handler, std::span<char> room, Time now);
  void advance(TcpConnection& connection, Handler& handler, std::span<char> room, Time now);
  void close(int fd);
  void make_way();

  Poller& poller_;
  TcpLimits limits_;
  std::vector<Fd> listeners_;
  std::unordered_map<int, std::unique_ptr<TcpConnection>> connections_;  // by descriptor
  std::map<IpAddress, std::size_t> of_client_;
  std::uint32_t accepted_ = 0;
};

}  // namespace weft::dns
