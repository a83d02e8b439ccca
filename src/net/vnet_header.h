// vnet_header.h: what stands before each packet of a TUN device: the work that the kernel has
// left undone, or asks to have done (struct virtio_net_hdr of linux/virtio_net.h).
//
// Between kernel and TUN it is in the machine's byte order.
#pragma once

#include <cstdint>

namespace weft {

struct VnetHeader {
  /// flags: a checksum is to be put at checksum_start + checksum_offset, over all that follows
  /// checksum_start. The place holds the sum of the pseudo-header already.
  static constexpr std::uint8_t kNeedsChecksum = 1;

  static constexpr std::uint8_t kNoSegments = 0;
  static constexpr std::uint8_t kTcp4Segments = 1;
  static constexpr std::uint8_t kUdpSegments = 5;  ///< VIRTIO_NET_HDR_GSO_UDP_L4, Linux 6.2
  static constexpr std::uint8_t kEcn = 0x80;       ///< the first TCP segment has CWR set

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kNoSegments;
  std::uint16_t header_size = 0;   ///< network and transport header; of several segments only
  std::uint16_t segment_size = 0;  ///< payload bytes of each segment but the last
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;

  bool operator==(const VnetHeader&) const = default;
};

}  // namespace weft
