// counters.h: what a tunnel has carried, and what it has not, and why.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::overlay::udp {

enum class Drop : std::uint8_t {
  kNoRoute,        ///< out: no peer has the destination
  kTtlExceeded,    ///< out: the packet has made its last hop
  kTooBig,         ///< out: it may not be fragmented, and the path to the peer is narrower
  kNotIpv4,        ///< out: another protocol than the tunnel carries
  kSendFailed,     ///< out: the kernel did not take it, or not in time
  kUnknownSender,  ///< in: the datagram is from no peer's address
  kSpoofed,        ///< in: the inner source is not in the subnet of the peer that sent it
  kMalformed,      ///< in: the datagram is not exactly one IPv4 packet
  kDeviceFailed,   ///< in: the TUN device did not take it
};
constexpr std::size_t kDropReasons = 9;

/// "no_route", "ttl_exceeded", ...: as a metric's label.
std::string_view to_string(Drop reason);

/// Sums over all threads since the tunnel was made. Packets are those on the wire.
struct Counters {
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_bytes = 0;  ///< of inner packets
  std::uint64_t received_packets = 0;
  std::uint64_t received_bytes = 0;
  std::array<std::uint64_t, kDropReasons> drops = {};

  std::uint64_t dropped(Drop reason) const { return drops[static_cast<std::size_t>(reason)]; }
  Counters& operator+=(const Counters& other);
};

/// One number that one thread counts and others read. No locked instruction is needed for that.
class Tally {
 public:
  void add(std::uint64_t more) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The counters of one thread. Only that thread calls count and drop.
class Tallies {
 public:
  void sent(std::uint64_t packets, std::uint64_t bytes) {
    sent_packets_.add(packets);
    sent_bytes_.add(bytes);
  }
  void received(std::uint64_t bytes) {
    received_packets_.add(1);
    received_bytes_.add(bytes);
  }
  void drop(Drop reason, std::uint64_t packets = 1) {
    drops_[static_cast<std::size_t>(reason)].add(packets);
  }
  Counters read() const;

 private:
  Tally sent_packets_;
  Tally sent_bytes_;
  Tally received_packets_;
  Tally received_bytes_;
  std::array<Tally, kDropReasons> drops_;
};

}  // namespace weft::overlay::udp
