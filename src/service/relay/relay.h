// relay.h: carries clients' connections and datagrams to the endpoints of services, in user space.
//
// For what rules of the kernel cannot do: another endpoint when one does not answer, and ports of
// the node at 127.0.0.1 and ::1. TCP connections stand on their own: each side may end first, and
// an endpoint that goes takes none of its connections with it. Datagrams of one client go to one
// endpoint until both have been silent for a while. SCTP is not carried.
//
// Theory of operation. A worker is one thread with an epoll descriptor, the sockets that it serves
// and nothing that others share but the balancers. All workers wait at a listening TCP socket, and
// the kernel wakes one; a UDP socket belongs to one worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "cluster/service.h"
#include "service/relay/balancer.h"

namespace weft::service {

/// --proxy-port-range: from `first` on, so many; of no ports: whatever the kernel chooses.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t count = 0;

  /// As Kubernetes writes them: "" and "0-0" are none, "50000", "50000-50099", "50000+99".
  static Result<PortRange> parse(std::string_view text);
  bool operator==(const PortRange&) const = default;
};

struct RelayOptions {
  unsigned workers = 1;
  std::chrono::milliseconds udp_idle{250};  ///< --udp-timeout
  PortRange any_port = {};                  ///< where listen() takes its choice from
};

class Relay {
 public:
  /// Sockets are of the calling thread's namespace, and those that listen() opens of its caller's.
  static Result<std::unique_ptr<Relay>> start(const RelayOptions& options);
  /// Ends all connections.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Where clients come in.
  struct Entrance {
    std::uint64_t id = 0;
    std::uint16_t port = 0;
  };
  /// Opens one: port 0 is any that is free. Refuses SCTP.
  Result<Entrance> listen(const IpAddress& address, std::uint16_t port, ServiceProtocol protocol,
                          std::shared_ptr<Balancer> balancer);
  /// Nobody comes in any more. TCP connections that stand go on.
  void close(std::uint64_t id);

 private:
  class Worker;
  Relay();
  Result<Fd> open_any(const IpAddress& address, bool tcp);

  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint64_t next_id_ = 1;
  PortRange any_port_ = {};
  std::uint32_t next_port_ = 0;  // within it
};

}  // namespace weft::service
