// What the threads of the tunnel work with: the batch, the table of peers, the counters; and
// how the device should be.
#include <random>

#include <gtest/gtest.h>

#include "overlay/udp/busy_wait.h"
#include "overlay/udp/counters.h"
#include "overlay/udp/datagram_batch.h"
#include "overlay/udp/device_plan.h"
#include "overlay/udp/peer_source.h"
#include "support/packets.h"

namespace weft::overlay::udp {
namespace {

using test::PacketBytes;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

constexpr UdpAddress kOne{.address = 0xc0000201, .port = 8285};
constexpr UdpAddress kOther{.address = 0xc0000202, .port = 8285};

struct Sending {
  UdpAddress to;
  std::size_t size;
};

// Sizes and receivers of the messages that come of it: "4 of 100, 390 bytes".
std::vector<std::string> messages_of(const std::vector<Sending>& sendings) {
  PacketBytes bytes(65535);
  const auto batch = std::make_unique<DatagramBatch>();
  for (const auto& sending : sendings) batch->add(sending.to, Bytes(bytes).first(sending.size));
  std::vector<std::string> result;
  for (const auto& message : batch->messages())
    result.push_back(std::to_string(message.count) + " of " +
                     std::to_string(message.datagram_size) + ", " + std::to_string(message.bytes) +
                     " bytes");
  return result;
}

TEST(DatagramBatch, PutsNeighboursOfOneSizeIntoOneMessage) {
  using Messages = std::vector<std::string>;
  EXPECT_EQ(messages_of({{kOne, 100}, {kOne, 100}, {kOne, 100}}),
            (Messages{"3 of 100, 300 bytes"}));
  EXPECT_EQ(messages_of({{kOne, 100}, {kOne, 90}, {kOne, 90}}),
            (Messages{"2 of 100, 190 bytes", "1 of 90, 90 bytes"}));
  EXPECT_EQ(messages_of({{kOne, 90}, {kOne, 100}}),
            (Messages{"1 of 90, 90 bytes", "1 of 100, 100 bytes"}));
  EXPECT_EQ(messages_of({{kOne, 100}, {kOther, 100}, {kOne, 100}}),
            (Messages{"1 of 100, 100 bytes", "1 of 100, 100 bytes", "1 of 100, 100 bytes"}));
}

TEST(DatagramBatch, KeepsToWhatTheKernelTakes) {
  EXPECT_EQ(messages_of(std::vector<Sending>(65, {kOne, 10})),
            (std::vector<std::string>{"64 of 10, 640 bytes", "1 of 10, 10 bytes"}));
  // 44 x 1472 is below 65507, 45 is not.
  EXPECT_EQ(messages_of(std::vector<Sending>(45, {kOne, 1472})),
            (std::vector<std::string>{"44 of 1472, 64768 bytes", "1 of 1472, 1472 bytes"}));
}

TEST(DatagramBatch, HoldsEveryByteInOrderWhateverComes) {
  std::mt19937 random(3);
  PacketBytes pool = test::counted(4096);
  const auto batch = std::make_unique<DatagramBatch>();
  for (int round = 0; round < 200; ++round) {
    batch->clear();
    std::vector<std::pair<UdpAddress, PacketBytes>> sent;
    while (batch->has_room()) {
      const UdpAddress& to = random() % 8 == 0 ? kOther : kOne;
      const std::size_t size = random() % 3 == 0 ? 41 + random() % 1000 : 700;
      const Bytes packet = Bytes(pool).subspan(random() % 2000, size);
      sent.emplace_back(to, PacketBytes(packet.begin(), packet.end()));
      if (random() % 2 == 0) {
        batch->add(to, packet);
        continue;
      }
      const Bytes header = batch->header_room().first(40);
      std::copy_n(packet.begin(), 40, header.begin());
      batch->add(to, header, packet.subspan(40));
    }
    std::vector<std::pair<UdpAddress, PacketBytes>> found;
    for (const auto& message : batch->messages()) {
      EXPECT_LE(message.count, DatagramBatch::kMostDatagrams);
      EXPECT_LE(message.bytes, DatagramBatch::kMostBytes);
      std::size_t count = 0;
      for_each_datagram(message, [&](const Datagrams& one) {
        ++count;
        // All but the last are of the full size, or the kernel would cut elsewhere.
        EXPECT_TRUE(one.bytes == message.datagram_size || count == message.count);
        PacketBytes bytes;
        for (const auto& slice : one.slices) {
          const auto* from = static_cast<const std::uint8_t*>(slice.iov_base);
          bytes.insert(bytes.end(), from, from + slice.iov_len);
        }
        found.emplace_back(one.to, bytes);
      });
      EXPECT_EQ(count, message.count);
    }
    ASSERT_EQ(found, sent) << "round " << round;
  }
}

std::vector<Peer> some_peers() {
  return {{.subnet = prefix("10.244.2.0/24"), .public_address = ip("192.0.2.2")},
          {.subnet = prefix("10.244.8.0/22"), .public_address = ip("192.0.2.8")},
          {.subnet = prefix("10.244.1.0/24"), .public_address = ip("192.0.2.1")},
          {.subnet = prefix("255.255.255.0/24"), .public_address = ip("192.0.2.9")},
          {.subnet = prefix("fd00:1::/64"), .public_address = ip("2001:db8::1")}};
}

TEST(PeerTable, FindsTheNodeOfAnAddress) {
  const PeerTable table(some_peers(), 8285);
  const auto node = [&](const char* address) -> std::string {
    const UdpAddress* found = table.find(ip(address).v4_number());
    return found == nullptr ? "" : IpAddress::v4(found->address).to_string();
  };
  EXPECT_EQ(node("10.244.1.0"), "192.0.2.1");  // a node's tunnel address
  EXPECT_EQ(node("10.244.1.255"), "192.0.2.1");
  EXPECT_EQ(node("10.244.2.7"), "192.0.2.2");
  EXPECT_EQ(node("10.244.3.0"), "");
  EXPECT_EQ(node("10.244.0.255"), "");
  EXPECT_EQ(node("10.244.7.255"), "");
  EXPECT_EQ(node("10.244.8.0"), "192.0.2.8");
  EXPECT_EQ(node("10.244.11.255"), "192.0.2.8");
  EXPECT_EQ(node("10.244.12.0"), "");
  EXPECT_EQ(node("0.0.0.0"), "");
  EXPECT_EQ(node("255.255.255.255"), "192.0.2.9");
  EXPECT_EQ(table.find(ip("10.244.1.1").v4_number())->port, 8285);
  EXPECT_TRUE(table.has_node(ip("192.0.2.8").v4_number()));
  EXPECT_FALSE(table.has_node(ip("192.0.2.3").v4_number()));
  EXPECT_EQ(PeerTable().find(0), nullptr);
}

TEST(PeerSource, GivesItsReadersTheNewestTable) {
  PeerSource source;
  PeerSource::Reader reader(source);
  EXPECT_EQ(reader.refresh().find(ip("10.244.1.1").v4_number()), nullptr);
  source.set(PeerTable(some_peers(), 1));
  ASSERT_NE(reader.refresh().find(ip("10.244.1.1").v4_number()), nullptr);
  source.set(PeerTable());
  EXPECT_EQ(reader.refresh().find(ip("10.244.1.1").v4_number()), nullptr);
}

TEST(Counters, AddUpAndNameEveryDrop) {
  Tallies one;
  Tallies other;
  one.sent(3, 300);
  other.sent(1, 100);
  other.received(50);
  one.drop(Drop::kSpoofed);
  other.drop(Drop::kSpoofed, 2);
  Counters sum;
  sum += one.read();
  sum += other.read();
  EXPECT_EQ(sum.sent_packets, 4U);
  EXPECT_EQ(sum.sent_bytes, 400U);
  EXPECT_EQ(sum.received_packets, 1U);
  EXPECT_EQ(sum.received_bytes, 50U);
  EXPECT_EQ(sum.dropped(Drop::kSpoofed), 3U);
  EXPECT_EQ(to_string(Drop::kNoRoute), "no_route");
  EXPECT_EQ(to_string(Drop::kDeviceFailed), "device_failed");
}

// Lets packets come after these pauses; how long the worker has looked in all, in microseconds.
std::int64_t looked_for(BusyWait& wait, const std::vector<int>& pauses_us) {
  using std::chrono::microseconds;
  BusyWait::Time now{std::chrono::seconds(1)};
  std::int64_t looked = 0;
  for (const int pause : pauses_us) {
    const auto next = now + microseconds(pause);
    for (; now < next; now += microseconds(1))
      if (wait.looks(now)) ++looked;
    wait.came(next);
  }
  return looked;
}

TEST(BusyWait, LooksAllTheTimeWhereRequestsAndAnswersFollowEachOther) {
  BusyWait wait;
  const std::vector<int> ping_pong(1000, 50);
  EXPECT_GT(looked_for(wait, ping_pong), 1000 * 50 - 200);
}

TEST(BusyWait, CostsNothingWhereItDoesNotPay) {
  BusyWait trickle;
  EXPECT_EQ(looked_for(trickle, std::vector<int>(1000, 1000)), 0);
  // Each answer is close, and then nothing comes for 10 ms.
  BusyWait now_and_then;
  std::vector<int> requests;
  for (int i = 0; i < 1000; ++i) requests.insert(requests.end(), {10'000, 150});
  EXPECT_LT(looked_for(now_and_then, requests), 1000);
  // Close enough to try, and never within the time that it looks.
  BusyWait in_vain;
  EXPECT_LT(looked_for(in_vain, std::vector<int>(10'000, 300)), 10'000 * 300 / 50);
}

TEST(BusyWait, ComesBackWhenPacketsDo) {
  BusyWait wait;
  looked_for(wait, std::vector<int>(10'000, 300));
  const std::vector<int> ping_pong(10'000, 50);
  EXPECT_GT(looked_for(wait, ping_pong), 10'000 * 50 * 8 / 10);
}

TEST(DevicePlan, IsFlannels) {
  const TunnelDevice device = plan_device(prefix("10.244.5.0/24"), 1500);
  EXPECT_EQ(device.mtu, 1472U);
  EXPECT_EQ(device.address.to_string(), "10.244.5.0/32");
  const auto route = plan_route(prefix("10.244.0.0/16"), LinkIndex{7}).routes.begin()->second;
  EXPECT_EQ(describe(route, "flannel0"), "10.244.0.0/16 dev flannel0 metric 87");
}

}  // namespace
}  // namespace weft::overlay::udp
