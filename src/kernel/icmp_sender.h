// icmp_sender.h: ICMP messages of this node's own making (man 7 raw).
#pragma once

#include <cstdint>
#include <span>

#include "base/fd.h"
#include "base/result.h"
#include "net/address.h"

namespace weft::kernel {

/// Sends only; safe from any thread.
class IcmpSender {
 public:
  /// In the calling thread's namespace. The messages will come from `source`, which the node need
  /// not have yet. EPERM without CAP_NET_RAW.
  static Result<IcmpSender> open(const IpAddress& source);

  /// The message without its IP header, to an IPv4 address in host order. One that cannot be
  /// sent at once is lost, as ICMP messages may be.
  void send(std::uint32_t to, std::span<const std::uint8_t> message) const;

 private:
  explicit IcmpSender(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace weft::kernel
