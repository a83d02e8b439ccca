// tcp_relay.h: the TCP connections of one worker of the relay, and the sockets that clients come in
// at.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "service/relay/tcp_session.h"
#include "service/relay/watched.h"

namespace weft::service {

class TcpRelay {
 public:
  /// `buffer` is the thread's.
  TcpRelay(int epoll, std::span<char> buffer);
  ~TcpRelay();

  /// The socket is shared with other workers.
  Status listen(std::uint64_t id, std::shared_ptr<const Fd> socket,
                std::shared_ptr<Balancer> balancer);
  void close(std::uint64_t id);

  /// After every round of events: goes on with what had to let others have their turn, gives up
  /// endpoints that do not answer, and forgets what has ended.
  void finish_round(Balancer::Time now);
  /// When finish_round() is to be called again at the latest; nothing: when there is an event.
  std::optional<Balancer::Time> next_round() const;

 private:
  class Listener;
  class Connection;
  using Connections = std::list<std::unique_ptr<Connection>>;

  void accept(int client, const IpAddress& address, const std::shared_ptr<Balancer>& balancer);
  void await_endpoint(Connection& connection);
  void stop_waiting(Connection& connection);
  void go_on(Connection& connection);
  void drop(Connection& connection);
  /// A client that there is no descriptor for is told so instead of being left waiting.
  void turn_away(int listener);
  void listen_again();

  const int epoll_;
  const std::span<char> buffer_;
  Pipes pipes_;
  Fd spare_;  // given up to turn a client away
  std::optional<Balancer::Time> listen_again_;
  std::map<std::uint64_t, std::unique_ptr<Listener>> listeners_;
  Connections connections_;
  Connections ended_;  // events of this round may still name them
  std::vector<Connection*> again_;
  std::set<std::pair<Balancer::Time, Connection*>> waiting_;  // for an endpoint
};

}  // namespace weft::service
