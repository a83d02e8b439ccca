// monitor.h: the kernel's word that something changed (netlink multicast groups).
//
// An event says where to look, never what to do: whoever is told reads the kernel anew. When
// the kernel had to drop events because nobody read fast enough (ENOBUFS), the monitor says so
// with Topic::kLost, and the answer is a full pass over everything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "kernel/netlink_socket.h"
#include "net/link.h"

namespace weft::kernel {

enum class Topic { kLink, kAddress, kRoute, kNeighbour, kRule, kNftables, kLost };

struct KernelEvent {
  Topic topic = Topic::kLost;
  bool removed = false;               ///< the object is gone
  LinkIndex link = LinkIndex::kNone;  ///< the device concerned; kNone when there is none
  std::string name = {};              ///< a link's name, or an nftables table's
  Family family = Family::kIpv4;      ///< of addresses, routes and ip/ip6 tables
};

/// Watches the namespace in which it was started, on a thread of its own, until destroyed.
class Monitor {
 public:
  /// Called on the monitor's thread. Must return soon.
  using Listener = std::function<void(const KernelEvent&)>;

  /// A topic that the kernel does not have (nftables) is an error that names it. What the socket
  /// with the number `own_port` asked for is no news: the kernel drops those events where it says
  /// on them who asked (routes, addresses and neighbours, not forwarding entries); so it does with
  /// what the nftables socket `own_nftables_port` asked for.
  static Result<std::unique_ptr<Monitor>> start(const std::vector<Topic>& topics, Listener listener,
                                                std::uint32_t own_port = 0,
                                                std::uint32_t own_nftables_port = 0);

  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  Monitor() = default;
  void run(const std::stop_token& stop);
  void read_from(int fd);

  Fd route_;      // NETLINK_ROUTE
  Fd netfilter_;  // NETLINK_NETFILTER; empty unless nftables is watched
  Fd wake_;       // an eventfd that ends the wait
  Listener listener_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

/// What a message of a multicast group is about; nothing for one that is of no interest.
/// `nftables` tells the socket it came from.
std::optional<KernelEvent> decode_event(const Message& message, bool nftables);

}  // namespace weft::kernel
