// udp_relay.h: the datagrams of one worker of the relay.
//
// A client (address and port) has a socket of its own towards its endpoint as long as one of the
// two speaks; then it is forgotten, and its next datagram may go elsewhere. An endpoint that is
// gone, or whose host refuses, is left at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/fd.h"
#include "service/relay/balancer.h"
#include "service/relay/watched.h"

namespace weft::service {

struct UdpPeer;

class UdpRelay {
 public:
  using Time = Balancer::Time;

  /// `buffer` is the thread's, and holds the largest datagram.
  UdpRelay(int epoll, std::span<char> buffer, std::chrono::milliseconds idle);
  ~UdpRelay();

  Status listen(std::uint64_t id, Fd socket, std::shared_ptr<Balancer> balancer);
  /// With all its clients.
  void close(std::uint64_t id);

  /// After every round of events: forgets who is silent.
  void finish_round(Time now);
  /// When the next one is to be forgotten.
  std::optional<Time> next_round() const;

  /// Whoever comes when there are so many takes the place of the one that was silent for longest:
  /// anybody can send from any address.
  static constexpr std::size_t kMostClients = 4096;

 private:
  class Entrance;
  class Flow;
  using Flows = std::list<std::unique_ptr<Flow>>;

  Flow* add_flow(Entrance& entrance, const UdpPeer& client, const IpAddress& own, Time now);
  void touch(Flow& flow, Time now);
  void drop(Flow& flow);

  const int epoll_;
  const std::span<char> buffer_;
  const std::chrono::milliseconds idle_;
  std::map<std::uint64_t, std::unique_ptr<Entrance>> entrances_;
  std::list<std::unique_ptr<Entrance>> closed_;  // events of this round may still name them
  Flows flows_;                                  // who spoke last is in front
  Flows ended_;
};

}  // namespace weft::service
