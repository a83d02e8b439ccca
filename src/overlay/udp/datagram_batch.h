// datagram_batch.h: packets on their way out, gathered so that few system calls send many.
//
// Each packet becomes one datagram. Neighbours in the batch that go to one peer and have one
// size go out as one message (UDP_SEGMENT); only the last of a message may be shorter.
//
// A batch holds no packet bytes, only slices of them; what it points at stays alive until
// clear(). All its room is there from the start: filling it allocates nothing.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/datagrams.h"
#include "overlay/udp/ipv4_packet.h"
#include "overlay/udp/segments.h"

namespace weft::overlay::udp {

class DatagramBatch {
 public:
  static constexpr std::size_t kMessages = 64;
  static constexpr std::size_t kSlices = 1024;
  /// Linux takes 64 datagrams a message (UDP_MAX_SEGMENTS; 128 from 6.9 on), and IPv4 that many
  /// bytes of UDP payload.
  static constexpr std::uint16_t kMostDatagrams = 64;
  static constexpr std::uint32_t kMostBytes = 65535 - 20 - 8;

  /// Room for one more datagram of either kind.
  bool has_room() const { return messages_ < kMessages && slices_ + 2 <= kSlices; }
  bool empty() const { return messages_ == 0; }

  /// Where the header of the next datagram may be written. REQUIRES has_room().
  Bytes header_room() { return headers_[slices_ / 2]; }

  /// One datagram, in one piece or two (a header from header_room() and its payload).
  /// REQUIRES has_room() and at least one byte.
  void add(const UdpAddress& to, Bytes packet);
  void add(const UdpAddress& to, Bytes header, Bytes payload);

  std::span<const Datagrams> messages() const { return {list_.data(), messages_}; }
  void clear() { messages_ = slices_ = 0; }

 private:
  void begin_datagram(const UdpAddress& to, std::size_t size);
  void add_slice(Bytes bytes);

  std::size_t messages_ = 0;
  std::size_t slices_ = 0;
  std::array<Datagrams, kMessages> list_;
  std::array<iovec, kSlices> pieces_;
  // One for each datagram of two slices.
  std::array<std::array<std::uint8_t, Segments::kLargestHeader>, kSlices / 2> headers_;
};

/// Calls `use` with each datagram of a message as a message of its own. REQUIRES that no slice
/// holds parts of two datagrams, as in those of a DatagramBatch.
template <class Use>
void for_each_datagram(const Datagrams& message, Use use) {
  auto slices = message.slices;
  while (!slices.empty()) {
    Datagrams one{.to = message.to, .slices = slices.first(0), .count = 1};
    while (one.bytes < message.datagram_size && one.slices.size() < slices.size()) {
      one.bytes += static_cast<std::uint32_t>(slices[one.slices.size()].iov_len);
      one.slices = slices.first(one.slices.size() + 1);
    }
    one.datagram_size = static_cast<std::uint16_t>(one.bytes);
    slices = slices.subspan(one.slices.size());
    use(one);
  }
}

}  // namespace weft::overlay::udp
