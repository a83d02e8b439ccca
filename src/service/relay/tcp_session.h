// tcp_session.h: one client's TCP connection, and the one to the endpoint that it is relayed to.
//
// Of one thread, which waits for both sockets edge-triggered: an event means that something may be
// done, and what is done goes on until it would wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "base/fd.h"
#include "service/relay/balancer.h"
#include "service/relay/byte_lane.h"

namespace weft::service {

class TcpSession {
 public:
  using Time = Balancer::Time;

  TcpSession(Fd client, const IpAddress& client_address, std::shared_ptr<Balancer> balancer)
      : client_(std::move(client)),
        client_address_(client_address),
        balancer_(std::move(balancer)) {}

  /// Tries the next endpoint. False when there is none, or the client has waited long enough: then
  /// the connection is to be dropped.
  bool connect(Time now);
  /// Whether the endpoint has not answered yet; by then another one is to be tried.
  bool connecting() const { return connecting_; }
  Time deadline() const { return deadline_; }
  /// After an event of the endpoint's socket while connecting: 0 when the connection stands, errno
  /// when it failed, EINPROGRESS when neither.
  int connected();

  enum class Step : std::uint8_t { kWait, kAgain, kClose };
  /// Does what can be done without waiting.
  Step advance(std::span<char> buffer, Pipes& pipes);
  /// Closes both sides; a client that was in the middle of something is told so by a reset.
  void close(Pipes& pipes);

  int client() const { return client_.get(); }
  int endpoint() const { return endpoint_.get(); }
  bool closed() const { return client_.empty(); }

 private:
  Fd client_;
  Fd endpoint_;
  const IpAddress client_address_;
  const std::shared_ptr<Balancer> balancer_;
  ByteLane up_;
  ByteLane down_;
  Time deadline_ = {};
  unsigned attempts_ = 0;
  bool connecting_ = true;
};

}  // namespace weft::service
