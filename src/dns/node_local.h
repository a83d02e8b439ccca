// node_local.h: keeps a node's own DNS addresses, and the rules that lead to them, in the kernel.
//
// Theory of operation. The addresses come first, then whoever serves them binds its sockets, and
// then the rules take the queries away from a service proxy: at no moment is there an address that
// nobody answers at. The way back is the same. In between, a thread puts back at once what somebody
// else removes or changes; the kernel tells (netlink events), nothing is polled.
//
// A process that is killed leaves all of it: queries are then refused by the kernel, so that a stub
// asks its next server at once instead of waiting. The next start takes it over.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "base/loop.h"
#include "base/result.h"
#include "dns/node_local_plan.h"
#include "kernel/monitor.h"
#include "kernel/nftables.h"
#include "kernel/rtnetlink.h"

namespace weft::dns {

/// In the namespace of the thread that opens it, and for that thread alone.
class NodeLocal {
 public:
  /// Puts the addresses there. Fails without CAP_NET_ADMIN, or where the kernel has no nf_tables.
  static Result<std::unique_ptr<NodeLocal>> open(const NodeLocalAim& aim);
  /// Takes everything back, unless it was left to another process.
  ~NodeLocal();
  NodeLocal(const NodeLocal&) = delete;
  NodeLocal& operator=(const NodeLocal&) = delete;

  /// Somebody listens: from now on queries come here, and what is gone is put back.
  Status capture();
  /// Nobody will listen soon: queries go where they went without us.
  void release();
  /// Another process goes on with all of it.
  void leave();

 private:
  NodeLocal(const NodeLocalAim& aim, kernel::Rtnetlink rtnetlink, kernel::Nftables nftables);
  Result<NodeLocalFacts> read();
  // What was put right, as words.
  Result<std::string> settle();
  Rest repair();
  void on_event(const kernel::KernelEvent& event);

  NodeLocalAim aim_;
  bool is_left_ = false;
  unsigned failures_ = 0;
  kernel::Rtnetlink rtnetlink_;
  kernel::Nftables nftables_;
  std::atomic<LinkIndex> loopback_{LinkIndex::kNone};
  Loop loop_;
  std::unique_ptr<kernel::Monitor> monitor_;  // last: it nudges the loop
};

}  // namespace weft::dns
