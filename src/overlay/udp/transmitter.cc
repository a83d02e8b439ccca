#include "overlay/udp/transmitter.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <vector>

#include "overlay/udp/segments.h"

namespace weft::overlay::udp {
namespace {

using kernel::Tun;

// Enough that small packets go out by the dozen, and little enough that the receiver starts to
// work while the rest of a long stream is still being read.
constexpr std::size_t kBatchBytes = 128 << 10;
constexpr std::size_t kOuterHeaders = 20 + 8;

// A send that finds the queue full waits so long for it to drain; then the packets are lost, as
// in any router whose queue is full.
constexpr int kPatienceMs = 5;

}  // namespace

Transmitter::Transmitter(const Tun& tun, kernel::UdpSocket& socket, const kernel::IcmpSender& icmp,
                         Tallies& tallies)
    : tun_(tun),
      socket_(socket),
      icmp_(icmp),
      tallies_(tallies),
      batch_(new DatagramBatch),
      bytes_(new std::uint8_t[kBatchBytes + Tun::kLargestRead]) {}

bool Transmitter::step(const PeerTable& peers) {
  std::size_t used = 0;
  std::ptrdiff_t size = 1;
  while (used < kBatchBytes && batch_->has_room()) {
    size = tun_.read({&bytes_[used], Tun::kLargestRead});
    if (size <= 0) break;
    const Bytes bytes(&bytes_[used], static_cast<std::size_t>(size));
    take(peers, bytes);
    used += bytes.size();
  }
  send_batch();
  return size >= 0;
}

void Transmitter::take(const PeerTable& peers, Bytes bytes) {
  VnetHeader work;
  if (bytes.size() < sizeof work) return tallies_.drop(Drop::kNotIpv4);
  std::memcpy(&work, bytes.data(), sizeof work);
  auto packet = Ipv4Packet::parse(bytes.subspan(sizeof work));
  if (!packet) return tallies_.drop(Drop::kNotIpv4);
  const UdpAddress* node = peers.find(packet->destination());
  if (node == nullptr) {
    tallies_.drop(Drop::kNoRoute);
    return answer(IcmpReason::kNetUnreachable, *packet);
  }
  if (packet->ttl() <= 1) {
    tallies_.drop(Drop::kTtlExceeded);
    return answer(IcmpReason::kTtlExceeded, *packet);
  }
  packet->decrement_ttl();
  queue(*node, *packet, work);
}

void Transmitter::queue(const UdpAddress& to, const Ipv4Packet& packet, const VnetHeader& work) {
  if (work.gso_type != VnetHeader::kNoSegments) return queue_segments(to, packet, work);
  if ((work.flags & VnetHeader::kNeedsChecksum) != 0 && !complete_checksum(packet, work))
    return tallies_.drop(Drop::kNotIpv4);
  batch_->add(to, packet.bytes());
}

void Transmitter::queue_segments(const UdpAddress& to, const Ipv4Packet& packet,
                                 const VnetHeader& work) {
  const auto segments = Segments::of(packet, work);
  if (!segments) return tallies_.drop(Drop::kNotIpv4);
  for (std::size_t i = 0; i < segments->count(); ++i) {
    if (!batch_->has_room()) send_batch();
    const Bytes header = batch_->header_room().first(segments->header_size());
    batch_->add(to, header, segments->write(i, header));
  }
}

void Transmitter::count_sent(const Datagrams& message) {
  tallies_.sent(message.count, message.bytes);
}

void Transmitter::send_batch() {
  auto messages = batch_->messages();
  while (!messages.empty()) {
    if (!segmentation_ && messages.front().count > 1) {
      send_singly(messages.front());
      messages = messages.subspan(1);
      continue;
    }
    const auto sent = socket_.send(messages);
    for (const auto& message : messages.first(sent.messages)) count_sent(message);
    messages = messages.subspan(sent.messages);
    if (messages.empty() || sent.error == 0) continue;
    if (!send_again(messages.front(), sent.error))
      tallies_.drop(Drop::kSendFailed, messages.front().count);
    messages = messages.subspan(1);
  }
  batch_->clear();
}

// What can still be done about a message that the kernel has refused.
bool Transmitter::send_again(const Datagrams& message, int error) {
  if (error == EAGAIN || error == ENOBUFS) {
    pollfd room{.fd = socket_.fd(), .events = POLLOUT, .revents = 0};
    (void)::poll(&room, 1, kPatienceMs);
    if (socket_.send({&message, 1}).messages == 0) return false;
    count_sent(message);
    return true;
  }
  // The outgoing device computes no checksums, so the kernel does not split for it.
  if (error == EIO) segmentation_ = false;
  const bool splitting = error == EIO || error == EINVAL || error == EMSGSIZE;
  if (!splitting || message.count == 1) return false;
  send_singly(message);
  return true;
}

void Transmitter::send_singly(const Datagrams& message) {
  const std::uint32_t path_mtu = kernel::UdpSocket::path_mtu(message.to);
  for_each_datagram(message, [&](const Datagrams& datagram) { send_one(datagram, path_mtu); });
}

// Alone, a datagram that is larger than the path's MTU goes out in fragments; flannel's does
// too. A sender that asked for no fragments is told instead, so that it makes smaller packets.
void Transmitter::send_one(const Datagrams& datagram, std::uint32_t path_mtu) {
  if (path_mtu > kOuterHeaders && datagram.bytes + kOuterHeaders > path_mtu) {
    std::vector<std::uint8_t> bytes;  // rare: its pieces in one place
    for (const auto& slice : datagram.slices) {
      const auto* begin = static_cast<const std::uint8_t*>(slice.iov_base);
      bytes.insert(bytes.end(), begin, begin + slice.iov_len);
    }
    const auto packet = Ipv4Packet::parse(bytes);
    if (packet && packet->dont_fragment()) {
      tallies_.drop(Drop::kTooBig);
      return answer(IcmpReason::kTooBig, *packet,
                    static_cast<std::uint16_t>(path_mtu - kOuterHeaders));
    }
  }
  if (socket_.send({&datagram, 1}).messages == 1)
    count_sent(datagram);
  else
    tallies_.drop(Drop::kSendFailed);
}

void Transmitter::answer(IcmpReason reason, const Ipv4Packet& packet, std::uint16_t mtu) {
  if (!answers_.allows(RateLimiter::Clock::now())) return;
  if (const auto error = icmp_error(reason, packet, mtu))
    icmp_.send(error->to, {error->message.data(), error->size});
}

}  // namespace weft::overlay::udp
