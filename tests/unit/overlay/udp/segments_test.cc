// Super-packets cut into packets, and packets joined to super-packets again.
#include "overlay/udp/segments.h"

#include <random>

#include <gtest/gtest.h>

#include "overlay/udp/checksum.h"
#include "overlay/udp/coalescer.h"
#include "support/packets.h"

namespace weft::overlay::udp {
namespace {

using test::counted;
using test::PacketBytes;
using test::TcpFields;

constexpr std::size_t kTcpHeaders = 52;
constexpr std::size_t kUdpHeaders = 28;

// A super-packet as the kernel hands it out: its transport checksum is that of the pseudo-header.
struct SuperPacket {
  VnetHeader work;
  PacketBytes bytes;
};

SuperPacket super_tcp(const TcpFields& fields, std::size_t payload, std::uint16_t segment_size,
                      const test::Ipv4Fields& network = {}) {
  SuperPacket packet{.work = {.flags = VnetHeader::kNeedsChecksum,
                              .gso_type = VnetHeader::kTcp4Segments,
                              .header_size = kTcpHeaders,
                              .segment_size = segment_size,
                              .checksum_start = 20,
                              .checksum_offset = 16},
                     .bytes = test::tcp(network, fields, counted(payload))};
  store_checksum(&packet.bytes[36],
                 fold(pseudo_header_sum(Bytes(packet.bytes).first(20), packet.bytes.size() - 20)));
  return packet;
}

SuperPacket super_udp(std::size_t payload, std::uint16_t segment_size) {
  SuperPacket packet{.work = {.flags = VnetHeader::kNeedsChecksum,
                              .gso_type = VnetHeader::kUdpSegments,
                              .header_size = kUdpHeaders,
                              .segment_size = segment_size,
                              .checksum_start = 20,
                              .checksum_offset = 6},
                     .bytes = test::udp({}, counted(payload))};
  store_checksum(&packet.bytes[26],
                 fold(pseudo_header_sum(Bytes(packet.bytes).first(20), packet.bytes.size() - 20)));
  return packet;
}

std::vector<PacketBytes> cut(SuperPacket packet) {
  std::vector<PacketBytes> result;
  const auto segments = Segments::of(*Ipv4Packet::parse(packet.bytes), packet.work);
  if (!segments) return result;
  for (std::size_t i = 0; i < segments->count(); ++i) {
    PacketBytes one(segments->header_size());
    const Bytes payload = segments->write(i, one);
    one.insert(one.end(), payload.begin(), payload.end());
    result.push_back(one);
  }
  return result;
}

// Gathers what a coalescer gives out.
class Written : public PacketSink {
 public:
  void put(std::span<const iovec> slices) override {
    SuperPacket packet;
    ASSERT_EQ(slices[0].iov_len, sizeof packet.work);
    std::memcpy(&packet.work, slices[0].iov_base, sizeof packet.work);
    for (const auto& slice : slices.subspan(1)) {
      const auto* bytes = static_cast<const std::uint8_t*>(slice.iov_base);
      packet.bytes.insert(packet.bytes.end(), bytes, bytes + slice.iov_len);
    }
    packets.push_back(packet);
  }
  std::vector<SuperPacket> packets;
};

std::vector<SuperPacket> join(std::vector<PacketBytes> packets,
                              Coalescer::Joined joined = {.tcp = true, .udp = true}) {
  Written written;
  const auto coalescer = std::make_unique<Coalescer>(written, joined);
  for (auto& bytes : packets) coalescer->add(*Ipv4Packet::parse(bytes));
  coalescer->flush();
  return written.packets;
}

// The packets that the wire would have seen.
std::vector<PacketBytes> cut_all(const std::vector<SuperPacket>& packets) {
  std::vector<PacketBytes> result;
  for (const auto& packet : packets) {
    if (packet.work == VnetHeader{}) {
      result.push_back(packet.bytes);
      continue;
    }
    for (auto& one : cut(packet)) result.push_back(one);
  }
  return result;
}

TEST(Segments, AreWholeTcpPackets) {
  const auto packets = cut(super_tcp({.sequence = 0xfffffff0, .flags = 0x99}, 3000, 1400));
  ASSERT_EQ(packets.size(), 3U);
  const std::size_t payload[] = {1400, 1400, 200};
  const unsigned flags[] = {0x90, 0x10, 0x19};  // CWR first only; PSH and FIN last only
  for (std::size_t i = 0; i < 3; ++i) {
    PacketBytes bytes = packets[i];
    const auto packet = Ipv4Packet::parse(bytes);
    ASSERT_TRUE(packet) << i;
    EXPECT_TRUE(transport_checksum_holds(*packet)) << i;
    EXPECT_EQ(bytes.size(), kTcpHeaders + payload[i]);
    EXPECT_EQ(packet->id(), 1 + i);
    EXPECT_EQ(load32(&bytes[24]), static_cast<std::uint32_t>(0xfffffff0 + 1400 * i));
    EXPECT_EQ(bytes[33], flags[i]) << i;
    EXPECT_EQ(PacketBytes(bytes.begin() + kTcpHeaders, bytes.end()), counted(payload[i], 1400 * i));
  }
}

TEST(Segments, AreWholeUdpPackets) {
  const auto packets = cut(super_udp(2500, 1000));
  ASSERT_EQ(packets.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    PacketBytes bytes = packets[i];
    ASSERT_TRUE(Ipv4Packet::parse(bytes)) << i;
    EXPECT_TRUE(transport_checksum_holds(*Ipv4Packet::parse(bytes))) << i;
    EXPECT_EQ(load16(&bytes[24]), bytes.size() - 20);
  }
}

TEST(Segments, OneByteMoreIsOneSegmentMore) {
  EXPECT_EQ(cut(super_tcp({}, 1, 1400)).size(), 1U);
  EXPECT_EQ(cut(super_tcp({}, 1400, 1400)).size(), 1U);
  EXPECT_EQ(cut(super_tcp({}, 1401, 1400)).size(), 2U);
  EXPECT_EQ(cut(super_tcp({}, 65535 - kTcpHeaders, 1)).size(), 65535 - kTcpHeaders);
}

TEST(Segments, RefuseWhatDoesNotFit) {
  const auto refuses = [](void (*spoil)(SuperPacket&)) {
    SuperPacket packet = super_tcp({}, 3000, 1400);
    spoil(packet);
    checksum_ipv4_header(Bytes(packet.bytes).first(20));
    return !Segments::of(*Ipv4Packet::parse(packet.bytes), packet.work);
  };
  EXPECT_FALSE(refuses([](SuperPacket&) {}));
  EXPECT_FALSE(refuses([](SuperPacket& p) { p.work.gso_type |= VnetHeader::kEcn; }));
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.work.segment_size = 0; }));
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.work.gso_type = VnetHeader::kUdpSegments; }));
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.work.gso_type = 4; }));  // TCP over IPv6
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.bytes[9] = 47; }));
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.bytes[6] = 0x20; }));   // a fragment
  EXPECT_TRUE(refuses([](SuperPacket& p) { p.bytes[32] = 0x40; }));  // a TCP header of 16 bytes
  EXPECT_TRUE(refuses([](SuperPacket& p) { p = super_tcp({}, 0, 1400); }));
  EXPECT_TRUE(refuses([](SuperPacket& p) {  // a TCP header that ends behind the packet
    p.bytes = test::ipv4({.protocol = 6}, PacketBytes(20, 0xf0));
  }));
}

TEST(CompleteChecksum, FinishesWhatTheKernelLeft) {
  for (const bool tcp : {true, false})
    for (std::size_t size = 1; size < 70; ++size) {
      SuperPacket packet = tcp ? super_tcp({}, size, 0) : super_udp(size, 0);
      const auto view = Ipv4Packet::parse(packet.bytes);
      ASSERT_TRUE(complete_checksum(*view, packet.work));
      EXPECT_TRUE(transport_checksum_holds(*view)) << size;
    }
}

TEST(CompleteChecksum, RefusesAPlaceOutsideThePacket) {
  SuperPacket packet = super_udp(10, 0);
  const auto refuses = [&](std::uint16_t start, std::uint16_t offset) {
    return !complete_checksum(
        *Ipv4Packet::parse(packet.bytes),
        {.flags = VnetHeader::kNeedsChecksum, .checksum_start = start, .checksum_offset = offset});
  };
  EXPECT_TRUE(refuses(37, 0));
  EXPECT_TRUE(refuses(20, 17));
  EXPECT_TRUE(refuses(0xffff, 0xffff));
  EXPECT_TRUE(refuses(10, 0));  // inside the IP header
  EXPECT_FALSE(refuses(20, 16));
}

TEST(Coalescer, GivesBackWhatTheKernelHadCut) {
  for (const std::size_t payload : {2U, 1400U, 1401U, 3000U, 60000U}) {
    const SuperPacket whole = super_tcp({.flags = 0x18}, payload, 1400);
    const auto joined = join(cut(whole));
    ASSERT_EQ(joined.size(), 1U) << payload;
    if (payload <= 1400) {
      EXPECT_EQ(joined[0].work, VnetHeader{});
      continue;
    }
    EXPECT_EQ(joined[0].work, whole.work) << payload;
    EXPECT_EQ(joined[0].bytes, whole.bytes) << payload;
  }
  const SuperPacket datagrams = super_udp(2500, 1000);
  const auto joined = join(cut(datagrams));
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].work, datagrams.work);
  EXPECT_EQ(joined[0].bytes, datagrams.bytes);
}

// Pairs of packets that must stay two.
struct Pair {
  const char* why;
  PacketBytes first;
  PacketBytes second;
};

TEST(Coalescer, JoinsOnlyWhatBelongsTogether) {
  const auto one = counted(100);
  const auto next = [](std::uint32_t sequence = 1100) { return TcpFields{.sequence = sequence}; };
  const PacketBytes first = test::tcp({}, {}, one);
  ASSERT_EQ(join({first, test::tcp({.id = 2}, next(), one)}).size(), 1U);

  auto acknowledged = next();
  acknowledged.acknowledged = 6000;
  auto window = next();
  window.window = 501;
  auto timestamp = next();
  timestamp.timestamp = 8;
  auto finished = next();
  finished.flags = 0x11;
  auto other_port = next();
  other_port.port = 81;
  PacketBytes corrupt = test::tcp({}, next(), one);
  corrupt.back() ^= 1;
  PacketBytes corrupt_first = first;
  corrupt_first.back() ^= 1;
  const std::vector<Pair> pairs{
      {"a hole", first, test::tcp({}, next(1101), one)},
      {"said again", first, first},
      {"another acknowledgement", first, test::tcp({}, acknowledged, one)},
      {"another window", first, test::tcp({}, window, one)},
      {"another timestamp", first, test::tcp({}, timestamp, one)},
      {"FIN", first, test::tcp({}, finished, one)},
      {"another flow", first, test::tcp({}, other_port, one)},
      {"another source", first, test::tcp({.source = 0x0af40102}, next(), one)},
      {"another TTL", first, test::tcp({.ttl = 63}, next(), one)},
      {"congestion marked", first, test::tcp({.tos = 3}, next(), one)},
      {"larger than the first", first, test::tcp({}, next(), counted(101))},
      {"behind PSH", test::tcp({}, {.flags = 0x18}, one), test::tcp({}, next(), one)},
      {"no data", first, test::tcp({}, next(), {})},
      {"another identification, and it may be fragmented", test::tcp({.fragment = 0}, {}, one),
       test::tcp({.id = 9, .fragment = 0}, next(), one)},
      {"a fragment", first, test::tcp({.fragment = 0x2000}, next(), one)},
      {"a wrong checksum", first, corrupt},
      {"a wrong checksum in the first", corrupt_first, test::tcp({}, next(), one)},
      {"UDP without a checksum", test::udp({}, one),
       [&] {
         PacketBytes packet = test::udp({}, one);
         packet[26] = packet[27] = 0;
         return packet;
       }()},
      {"UDP of another length than its packet", test::udp({}, one),
       [&] {
         PacketBytes packet = test::udp({}, one);
         packet[25] = 20;
         return packet;
       }()},
  };
  for (const auto& pair : pairs) {
    const auto written = join({pair.first, pair.second});
    ASSERT_EQ(written.size(), 2U) << pair.why;
    for (const auto& packet : written) EXPECT_EQ(packet.work, VnetHeader{}) << pair.why;
    EXPECT_EQ(cut_all(written), (std::vector{pair.first, pair.second})) << pair.why;
  }
}

TEST(Coalescer, LeavesAloneWhatTheDeviceDoesNotTake) {
  const auto packets = cut(super_tcp({}, 3000, 1400));
  EXPECT_EQ(join(packets, {}).size(), 3U);
  EXPECT_EQ(join(packets, {.tcp = true}).size(), 1U);
  EXPECT_EQ(join(cut(super_udp(3000, 1400)), {.tcp = true}).size(), 3U);
}

TEST(Coalescer, StopsAtTheLargestPacketAndTheMostSegments) {
  std::vector<PacketBytes> packets;
  for (std::uint32_t i = 0; i < 200; ++i)
    packets.push_back(test::tcp({.id = static_cast<std::uint16_t>(1 + i)},
                                {.sequence = 1000 + 1400 * i}, counted(1400)));
  const auto joined = join(packets);
  EXPECT_EQ(joined.size(), 5U);
  EXPECT_EQ(cut_all(joined), packets);

  packets.clear();
  for (std::uint32_t i = 0; i < 200; ++i)
    packets.push_back(test::tcp({.id = static_cast<std::uint16_t>(1 + i)},
                                {.sequence = 1000 + 10 * i}, counted(10)));
  const auto small = join(packets);
  EXPECT_EQ(small.size(), 4U);
  EXPECT_EQ(cut_all(small), packets);
}

// Whatever comes in: cut again, each flow is what it was, in its order.
TEST(Coalescer, LosesAddsAndReordersNothing) {
  std::mt19937 random(7);
  const auto below = [&](unsigned limit) { return static_cast<std::uint32_t>(random() % limit); };
  for (int round = 0; round < 300; ++round) {
    std::vector<PacketBytes> packets;
    std::map<std::uint16_t, std::uint32_t> sequence;
    for (unsigned i = 0, count = 1 + below(120); i < count; ++i) {
      // More flows than the coalescer keeps open at a time.
      const auto port = static_cast<std::uint16_t>(1 + below(round % 2 == 0 ? 3 : 40));
      const std::size_t size = below(4) == 0 ? below(900) : 800;
      // The identification is free where fragmenting is not, so it may change there: keep it in
      // step.
      if (below(6) == 0) {
        packets.push_back(test::udp({.id = 0, .fragment = 0}, counted(size), port));
        continue;
      }
      auto& at = sequence[port];
      if (below(20) == 0) at += 77;  // lost on the way
      packets.push_back(
          test::tcp({.id = static_cast<std::uint16_t>(at), .fragment = 0},
                    {.port = port,
                     .sequence = at,
                     .flags = static_cast<std::uint8_t>(below(10) == 0 ? 0x18 : 0x10)},
                    counted(size, at)));
      if (below(30) == 0) packets.back().back() ^= 0x40;  // damaged
      at += static_cast<std::uint32_t>(size);
    }
    const auto by_flow = [](const std::vector<PacketBytes>& all) {
      std::map<std::pair<std::uint8_t, std::uint16_t>, std::vector<PacketBytes>> flows;
      for (const auto& packet : all) flows[{packet[9], load16(&packet[22])}].push_back(packet);
      return flows;
    };
    ASSERT_EQ(by_flow(cut_all(join(packets))), by_flow(packets)) << "round " << round;
  }
}

}  // namespace
}  // namespace weft::overlay::udp
