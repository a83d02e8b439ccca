// Datagrams from the network and packets from the kernel through all that the udp tunnel does
// to them. The input is a VnetHeader and then packets, each behind its length (two bytes, network
// order); headers are given their checksum, so that what lies behind that check is reached too.
#include <memory>
#include <vector>

#include "base/check.h"
#include "overlay/udp/coalescer.h"
#include "overlay/udp/datagram_batch.h"
#include "overlay/udp/icmp_error.h"
#include "overlay/udp/segments.h"

namespace {

using namespace weft;
using namespace weft::overlay::udp;

// Reads every byte, so that a sanitizer sees a slice that leads astray; how many there were.
std::size_t touch(std::span<const iovec> slices) {
  std::size_t size = 0;
  std::size_t sum = 0;
  for (const auto& slice : slices) {
    for (std::size_t i = 0; i < slice.iov_len; ++i)
      sum += static_cast<const std::uint8_t*>(slice.iov_base)[i];
    size += slice.iov_len;
  }
  CHECK(sum <= 255 * size);
  return size;
}

class Sink : public PacketSink {
 public:
  void put(std::span<const iovec> slices) override {
    const std::size_t size = touch(slices.subspan(1));
    CHECK(size <= 65535);
    bytes += size;
  }
  std::size_t bytes = 0;
};

void send(const Ipv4Packet& packet, const VnetHeader& work) {
  static const auto batch = std::make_unique<DatagramBatch>();
  batch->clear();
  const UdpAddress to{.address = 1, .port = 2};
  if (const auto segments = Segments::of(packet, work)) {
    std::size_t payload = 0;
    for (std::size_t i = 0; i < segments->count(); ++i) {
      if (!batch->has_room()) batch->clear();
      const Bytes header = batch->header_room().first(segments->header_size());
      const Bytes piece = segments->write(i, header);
      payload += piece.size();
      batch->add(to, header, piece);
    }
    CHECK(payload == packet.bytes().size() - segments->header_size());
  } else if (complete_checksum(packet, work)) {
    batch->add(to, packet.bytes());
  }
  for (const auto& message : batch->messages()) {
    CHECK(touch(message.slices) == message.bytes);
    for_each_datagram(message, [](const Datagrams& one) { touch(one.slices); });
  }
  if (const auto error = icmp_error(IcmpReason::kTooBig, packet, 1400))
    CHECK(error->size <= error->message.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  VnetHeader work;
  if (size < sizeof work) return 0;
  std::memcpy(&work, data, sizeof work);
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::size_t at = sizeof work; size - at >= 2;) {
    const std::size_t length = std::min<std::size_t>(load16(data + at), size - at - 2);
    packets.emplace_back(data + at + 2, data + at + 2 + length);
    at += 2 + length;
  }
  Sink sink;
  const auto coalescer =
      std::make_unique<Coalescer>(sink, Coalescer::Joined{.tcp = true, .udp = true});
  std::size_t accepted = 0;
  for (auto& bytes : packets) {
    (void)Ipv4Packet::parse(bytes);
    if (bytes.size() >= 20 && (bytes[0] & 0xfU) >= 5 && (bytes[0] & 0xfU) * 4U <= bytes.size())
      checksum_ipv4_header(Bytes(bytes).first((bytes[0] & 0xfU) * 4U));
    const auto packet = Ipv4Packet::parse(bytes);
    if (!packet) continue;
    auto copy = bytes;
    send(*Ipv4Packet::parse(copy), work);
    coalescer->add(*packet);
    accepted += bytes.size();
  }
  coalescer->flush();
  // Joining takes headers away and adds nothing.
  CHECK(sink.bytes <= accepted);
  return 0;
}
