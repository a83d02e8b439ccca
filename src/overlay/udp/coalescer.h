// coalescer.h: packets of one flow that follow each other, as the one super-packet that the
// kernel would have kept whole (generic receive offload).
//
// The kernel passes a packet of 64 KB through routing, bridge and TCP at the cost of one of
// 1,400 bytes, so this is where a tunnel in user space gets its speed. The rules are those of
// the kernel's own offload (net/ipv4/tcp_offload.c, udp_offload.c): the packets must be so alike
// that segmenting the result gives back what arrived (but for the identification of packets that
// may not be fragmented, which means nothing: RFC 6864). So for TCP the sequence numbers join
// up, flags, window, acknowledgement and options are equal, and only the last may be shorter or
// have PSH; for UDP only the last may be shorter; for both the IP headers are equal but for
// length, checksum and a counting identification. A packet with a wrong checksum is never
// joined, since that would give it a right one.
//
// What cannot be joined passes through unchanged. Packets of one flow stay in order; flows among
// each other need not. Nothing is copied or allocated.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "net/vnet_header.h"
#include "overlay/udp/ipv4_packet.h"

namespace weft::overlay::udp {

/// Takes the packets: the slices are a VnetHeader and then the packet's bytes.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void put(std::span<const iovec> slices) = 0;
};

class Coalescer {
 public:
  /// Of which protocols the sink takes super-packets.
  struct Joined {
    bool tcp = false;
    bool udp = false;
  };
  Coalescer(PacketSink& sink, Joined joined) : sink_(sink), joined_(joined) {}

  /// The packet's bytes are changed, and must stay alive until flush().
  void add(const Ipv4Packet& packet);
  /// Hands everything to the sink.
  void flush();

 private:
  struct Flow {
    std::uint64_t addresses = 0;
    std::uint32_t ports = 0;
    std::uint8_t protocol = 0;
    bool operator==(const Flow&) const = default;
  };
  /// A packet that may be joined with others.
  struct Segment {
    Ipv4Packet packet;
    std::size_t transport_size;  ///< bytes of the transport header
    Bytes payload() const { return packet.payload().subspan(transport_size); }
  };
  /// Packets that are joined already; one at least.
  struct Run {
    static constexpr std::size_t kMostSegments = 64;

    Flow flow = {};
    VnetHeader work = {};
    std::size_t count = 0;         ///< segments; each has a slice, after that of `work`
    std::size_t header_size = 0;   ///< network and transport header of the first
    std::size_t network_size = 0;  ///< of that, the network header
    std::size_t segment_size = 0;  ///< payload bytes of all but the last
    std::size_t bytes = 0;         ///< of the super-packet
    bool closed = false;           ///< the last was shorter, or had PSH
    bool verified = false;         ///< the first's checksum is known to be right
    std::array<iovec, 1 + kMostSegments> slices = {};

    std::uint8_t* header() const { return static_cast<std::uint8_t*>(slices[1].iov_base); }
    Bytes first() const { return {header(), slices[1].iov_len}; }
  };
  static constexpr std::size_t kRuns = 16;

  static std::optional<Flow> flow_of(const Ipv4Packet& packet);
  std::optional<Segment> joinable(const Ipv4Packet& packet) const;
  Run* find(const Flow& flow);
  static bool takes(const Run& run, const Segment& segment);
  static bool verify(Run& run, const Segment& segment);
  static void append(Run& run, const Segment& segment);
  Run& free_run();
  static void begin(Run& run, const Flow& flow, const Segment& segment);
  static VnetHeader complete_header(const Run& run);
  void finish(Run& run);
  void pass(const Ipv4Packet& packet);

  PacketSink& sink_;
  const Joined joined_;
  std::size_t runs_ = 0;
  std::array<Run, kRuns> list_;
};

}  // namespace weft::overlay::udp
