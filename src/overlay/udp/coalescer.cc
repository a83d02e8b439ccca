#include "overlay/udp/coalescer.h"

#include <algorithm>

#include "overlay/udp/checksum.h"
#include "overlay/udp/segments.h"

namespace weft::overlay::udp {
namespace {

constexpr std::size_t kLargestPacket = 65535;

bool equal(const std::uint8_t* one, const std::uint8_t* other, std::size_t size) {
  return std::memcmp(one, other, size) == 0;
}

// Service type, fragment bits, TTL, protocol and addresses; not length, id and checksum.
bool same_network_header(const std::uint8_t* one, const std::uint8_t* other) {
  return equal(one, other, 2) && equal(one + 6, other + 6, 4) && equal(one + 12, other + 12, 8);
}

// All but sequence number, PSH and checksum.
bool same_tcp_header(const std::uint8_t* one, const std::uint8_t* other, std::size_t size) {
  const auto flags = [](const std::uint8_t* header) {
    return header[13] & ~unsigned{TcpFlags::kPsh};
  };
  return equal(one, other, 4) && equal(one + 8, other + 8, 5) && flags(one) == flags(other) &&
         equal(one + 14, other + 14, 2) && equal(one + 18, other + 18, size - 18);
}

}  // namespace

std::optional<Coalescer::Flow> Coalescer::flow_of(const Ipv4Packet& packet) {
  const bool has_ports =
      packet.protocol() == Ipv4Packet::kTcp || packet.protocol() == Ipv4Packet::kUdp;
  if (!has_ports || packet.is_fragment() || packet.payload().size() < kUdpHeader)
    return std::nullopt;
  return Flow{.addresses = std::uint64_t{packet.source()} << 32U | packet.destination(),
              .ports = load32(packet.payload().data()),
              .protocol = packet.protocol()};
}

std::optional<Coalescer::Segment> Coalescer::joinable(const Ipv4Packet& packet) const {
  if (packet.header_size() != Ipv4Packet::kSmallestHeader) return std::nullopt;
  const Bytes transport = packet.payload();
  Segment segment{.packet = packet, .transport_size = kUdpHeader};
  if (packet.protocol() == Ipv4Packet::kTcp) {
    const auto size = joined_.tcp ? tcp_header_size(transport) : std::nullopt;
    if (!size || (transport[13] & ~unsigned{TcpFlags::kPsh}) != TcpFlags::kAck) return std::nullopt;
    segment.transport_size = *size;
  } else if (!joined_.udp || load16(&transport[4]) != transport.size() ||
             load16(&transport[6]) == 0) {
    return std::nullopt;
  }
  if (segment.payload().empty()) return std::nullopt;
  return segment;
}

Coalescer::Run* Coalescer::find(const Flow& flow) {
  const auto end = list_.begin() + static_cast<std::ptrdiff_t>(runs_);
  const auto found =
      std::find_if(list_.begin(), end, [&](const Run& run) { return run.flow == flow; });
  return found == end ? nullptr : &*found;
}

bool Coalescer::takes(const Run& run, const Segment& segment) {
  const std::uint8_t* first = run.header();
  const std::uint8_t* next = segment.packet.bytes().data();
  const std::size_t payload = segment.payload().size();
  if (run.count == 0 || run.closed || run.count == Run::kMostSegments) return false;
  if (payload > run.segment_size || run.bytes + payload > kLargestPacket) return false;
  if (run.header_size != run.network_size + segment.transport_size) return false;
  if (!same_network_header(first, next)) return false;
  // Where fragmenting is allowed the identification must be the one that segmenting gives.
  if (!segment.packet.dont_fragment() &&
      segment.packet.id() != static_cast<std::uint16_t>(load16(first + 4) + run.count))
    return false;
  if (segment.packet.protocol() == Ipv4Packet::kUdp) return true;
  const std::uint8_t* first_tcp = first + run.network_size;
  const std::uint8_t* next_tcp = next + run.network_size;
  const auto sent = static_cast<std::uint32_t>(run.bytes - run.header_size);
  return load32(next_tcp + 4) == load32(first_tcp + 4) + sent &&
         same_tcp_header(first_tcp, next_tcp, segment.transport_size);
}

// Checksums are looked at only where there is something to join.
bool Coalescer::verify(Run& run, const Segment& segment) {
  if (!run.verified) {
    const auto first = Ipv4Packet::parse(run.first());
    run.verified = first && transport_checksum_holds(*first);
  }
  return run.verified && transport_checksum_holds(segment.packet);
}

void Coalescer::append(Run& run, const Segment& segment) {
  const Bytes payload = segment.payload();
  run.slices[1 + run.count++] = {.iov_base = payload.data(), .iov_len = payload.size()};
  run.bytes += payload.size();
  run.closed = payload.size() < run.segment_size;
  if (segment.packet.protocol() != Ipv4Packet::kTcp) return;
  const unsigned psh = segment.packet.payload()[13] & unsigned{TcpFlags::kPsh};
  if (psh != 0) run.closed = true;
  std::uint8_t& flags = run.header()[run.network_size + 13];
  flags = static_cast<std::uint8_t>(flags | psh);
}

Coalescer::Run& Coalescer::free_run() {
  if (runs_ == kRuns) flush();
  return list_[runs_++];
}

void Coalescer::begin(Run& run, const Flow& flow, const Segment& segment) {
  const Bytes packet = segment.packet.bytes();
  run.flow = flow;
  run.count = 1;
  run.network_size = segment.packet.header_size();
  run.header_size = run.network_size + segment.transport_size;
  run.segment_size = segment.payload().size();
  run.bytes = packet.size();
  run.closed = segment.packet.protocol() == Ipv4Packet::kTcp &&
               (segment.packet.payload()[13] & unsigned{TcpFlags::kPsh}) != 0;
  run.verified = false;
  run.slices[1] = {.iov_base = packet.data(), .iov_len = packet.size()};
}

// Makes the first packet's header that of the super-packet, and says what the kernel is to do
// when it has to segment it again.
VnetHeader Coalescer::complete_header(const Run& run) {
  const bool tcp = run.flow.protocol == Ipv4Packet::kTcp;
  const std::uint16_t checksum_offset = tcp ? 16 : 6;
  const Bytes network(run.header(), run.network_size);
  std::uint8_t* transport = run.header() + run.network_size;
  const std::size_t size = run.bytes - run.network_size;
  store16(&network[2], static_cast<std::uint16_t>(run.bytes));
  checksum_ipv4_header(network);
  if (!tcp) store16(&transport[4], static_cast<std::uint16_t>(size));
  store_checksum(&transport[checksum_offset], fold(pseudo_header_sum(network, size)));
  return {.flags = VnetHeader::kNeedsChecksum,
          .gso_type = tcp ? VnetHeader::kTcp4Segments : VnetHeader::kUdpSegments,
          .header_size = static_cast<std::uint16_t>(run.header_size),
          .segment_size = static_cast<std::uint16_t>(run.segment_size),
          .checksum_start = static_cast<std::uint16_t>(run.network_size),
          .checksum_offset = checksum_offset};
}

// Leaves the run's place, empty, to its flow.
void Coalescer::finish(Run& run) {
  if (run.count == 0) return;
  run.work = run.count > 1 ? complete_header(run) : VnetHeader{};
  run.slices[0] = {.iov_base = &run.work, .iov_len = sizeof run.work};
  sink_.put({run.slices.data(), 1 + run.count});
  run.count = 0;
}

void Coalescer::pass(const Ipv4Packet& packet) {
  VnetHeader work;
  const std::array<iovec, 2> slices{
      {{.iov_base = &work, .iov_len = sizeof work},
       {.iov_base = packet.bytes().data(), .iov_len = packet.bytes().size()}}};
  sink_.put(slices);
}

void Coalescer::add(const Ipv4Packet& packet) {
  const auto flow = flow_of(packet);
  if (!flow) {
    // Which flow a fragment is of, nobody can tell.
    flush();
    return pass(packet);
  }
  Run* run = find(*flow);
  const auto segment = joinable(packet);
  if (segment && run != nullptr && takes(*run, *segment) && verify(*run, *segment))
    return append(*run, *segment);
  // It follows what is there of its flow, and must not overtake it.
  if (run != nullptr) finish(*run);
  if (!segment) return pass(packet);
  begin(run != nullptr ? *run : free_run(), *flow, *segment);
}

void Coalescer::flush() {
  for (std::size_t i = 0; i < runs_; ++i) finish(list_[i]);
  runs_ = 0;
}

}  // namespace weft::overlay::udp
