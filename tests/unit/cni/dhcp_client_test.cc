#include "cni/plugins/dhcp_client.h"

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

using State = DhcpClient::State;
using Event = DhcpClient::Event;
using std::chrono::seconds;

const MacAddress kMac = *MacAddress::parse("02:00:00:00:00:07");
const IpAddress kServer = *IpAddress::parse("10.0.0.1");
const IpAddress kAddress = *IpAddress::parse("10.0.0.7");

// A client with a clock that is turned by hand, and a server that says what it is told to.
class DhcpClientTest : public testing::Test {
 protected:
  DhcpClientTest() { options_[DhcpOption::kParameters] = "\3\1"; }

  DhcpClient make() {
    return DhcpClient({.mac = kMac, .client_id = std::string("\0c/n/e", 6), .options = options_},
                      {}, [this] { return ++random_; });
  }
  DhcpPacket reply(DhcpType type, const DhcpPacket& to) const {
    return {.is_reply = true,
            .transaction = to.transaction,
            .yours = kAddress,
            .mac = kMac,
            .options = {{DhcpOption::kMessageType, std::string(1, static_cast<char>(type))},
                        {DhcpOption::kServer, std::string(kServer.bytes())},
                        {DhcpOption::kSubnetMask, as_option(0xffffff00)},
                        {DhcpOption::kLeaseTime, as_option(1000)}}};
  }
  /// DISCOVER, OFFER, REQUEST, ACK at once; the lease has T1 500 s, T2 875 s.
  DhcpClient bound() {
    DhcpClient client = make();
    auto step = client.start(now_);
    step = client.on_packet(reply(DhcpType::kOffer, *step.send), now_);
    step = client.on_packet(reply(DhcpType::kAck, *step.send), now_);
    EXPECT_EQ(step.event, Event::kBound);
    return client;
  }
  /// Turns the clock to when the client wants it.
  DhcpClient::Step wake(DhcpClient& client) {
    EXPECT_EQ(client.on_time(client.wake() - DhcpTime(1)).send, std::nullopt);
    now_ = client.wake();
    return client.on_time(now_);
  }

  DhcpOptions options_;
  std::uint32_t random_ = 0;
  DhcpTime now_ = seconds(5000);
};

TEST_F(DhcpClientTest, GetsALeaseInFourMessages) {
  DhcpClient client = make();
  auto step = client.start(now_);
  ASSERT_TRUE(step.send);
  EXPECT_EQ(step.send->type(), DhcpType::kDiscover);
  EXPECT_EQ(step.send->options.at(DhcpOption::kParameters), "\3\1");
  EXPECT_EQ(step.send->options.at(DhcpOption::kClient), std::string("\0c/n/e", 6));
  EXPECT_FALSE(step.to_server);
  step = client.on_packet(reply(DhcpType::kOffer, *step.send), now_);
  ASSERT_TRUE(step.send);
  EXPECT_EQ(step.send->type(), DhcpType::kRequest);
  EXPECT_EQ(step.send->address(DhcpOption::kRequestedAddress), kAddress);
  EXPECT_EQ(step.send->address(DhcpOption::kServer), kServer);
  EXPECT_TRUE(step.send->client.is_unspecified());
  step = client.on_packet(reply(DhcpType::kAck, *step.send), now_ + seconds(3));
  EXPECT_EQ(step.event, Event::kBound);
  EXPECT_EQ(client.lease()->address.to_string(), "10.0.0.7/24");
  // Counted from the request on: the server's time began before the answer came.
  EXPECT_EQ(client.granted(), now_);
  EXPECT_EQ(client.wake(), now_ + seconds(500));
}

TEST_F(DhcpClientTest, TriesQuicklyThenMoreAndMoreSlowlyThenGivesUp) {
  DhcpClient client = make();
  const DhcpTime start = now_;
  client.start(now_);
  std::vector<std::int64_t> pauses;
  for (;;) {
    const DhcpTime before = now_;
    const auto step = wake(client);
    pauses.push_back((now_ - before).count());
    if (step.event == Event::kGaveUp) break;
    ASSERT_TRUE(step.send);
    EXPECT_EQ(step.send->type(), DhcpType::kDiscover);
    EXPECT_EQ(step.send->seconds, (now_ - start).count() / 1000);
  }
  EXPECT_EQ(now_ - start, seconds(208));
  EXPECT_EQ(client.state(), State::kEnded);
  const std::vector<std::int64_t> expected = {200,  500,   1000,  2000, 4000,
                                              8000, 16000, 32000, 62000};
  ASSERT_GE(pauses.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(static_cast<double>(pauses[i]), static_cast<double>(expected[i]),
                static_cast<double>(std::min<std::int64_t>(expected[i] / 4, 1000)));
}

TEST_F(DhcpClientTest, AServerThatDoesNotConfirmIsLeftForAnother) {
  DhcpClient client = make();
  auto step = client.start(now_);
  step = client.on_packet(reply(DhcpType::kOffer, *step.send), now_);
  const DhcpTime offered = now_;
  while (step.send && step.send->type() == DhcpType::kRequest) step = wake(client);
  EXPECT_EQ(step.send->type(), DhcpType::kDiscover);
  EXPECT_EQ(now_ - offered, seconds(10));
}

TEST_F(DhcpClientTest, ARefusalLeadsToAnotherTryButNotAtOnce) {
  DhcpClient client = make();
  auto step = client.start(now_);
  const std::uint32_t first = step.send->transaction;
  step = client.on_packet(reply(DhcpType::kOffer, *step.send), now_);
  step = client.on_packet(reply(DhcpType::kNak, *step.send), now_);
  EXPECT_FALSE(step.send);
  EXPECT_GT(client.wake(), now_);
  step = wake(client);
  EXPECT_EQ(step.send->type(), DhcpType::kDiscover);
  EXPECT_NE(step.send->transaction, first);
}

TEST_F(DhcpClientTest, WhatIsNotMeantForItIsPassedOver) {
  DhcpClient client = make();
  const auto discover = *client.start(now_).send;
  const DhcpPacket offer = reply(DhcpType::kOffer, discover);
  DhcpPacket of_another_call = offer;
  of_another_call.transaction += 100;
  DhcpPacket for_another_client = offer;
  for_another_client.mac.bytes[5] = 9;
  DhcpPacket no_reply = offer;
  no_reply.is_reply = false;
  DhcpPacket without_address = offer;
  without_address.yours = {};
  DhcpPacket without_server = offer;
  without_server.options.erase(DhcpOption::kServer);
  for (const auto& packet :
       {of_another_call, for_another_client, no_reply, without_address, without_server,
        reply(DhcpType::kAck, discover), reply(DhcpType::kNak, discover)}) {
    const auto step = client.on_packet(packet, now_);
    EXPECT_FALSE(step.send);
    EXPECT_EQ(step.event, Event::kNone);
    EXPECT_EQ(client.state(), State::kSelecting);
  }
}

TEST_F(DhcpClientTest, RenewsWithItsServerAtHalfTime) {
  DhcpClient client = bound();
  auto step = wake(client);
  ASSERT_TRUE(step.send);
  EXPECT_EQ(client.state(), State::kRenewing);
  EXPECT_TRUE(step.to_server);
  EXPECT_EQ(step.send->client, kAddress);
  EXPECT_FALSE(step.send->address(DhcpOption::kServer));
  EXPECT_FALSE(step.send->address(DhcpOption::kRequestedAddress));
  step = client.on_packet(reply(DhcpType::kAck, *step.send), now_);
  EXPECT_EQ(step.event, Event::kBound);
  EXPECT_EQ(client.state(), State::kBound);
  EXPECT_EQ(client.wake(), now_ + seconds(500));
}

TEST_F(DhcpClientTest, AsksEverybodyAtT2AndEndsWhenTheLeaseDoes) {
  const DhcpTime granted = now_;
  DhcpClient client = bound();
  std::vector<std::pair<State, std::int64_t>> asked;
  for (;;) {
    const auto step = wake(client);
    if (step.event == Event::kExpired) break;
    asked.emplace_back(client.state(), (now_ - granted).count() / 1000);
    EXPECT_EQ(step.to_server, client.state() == State::kRenewing);
  }
  EXPECT_EQ(now_ - granted, seconds(1000));
  EXPECT_FALSE(client.lease());
  // Half of what is left, but not more often than every 50 s.
  const std::vector<std::pair<State, std::int64_t>> expected = {
      {State::kRenewing, 500},  {State::kRenewing, 687},  {State::kRenewing, 781},
      {State::kRenewing, 831},  {State::kRebinding, 875}, {State::kRebinding, 937},
      {State::kRebinding, 987},
  };
  EXPECT_EQ(asked, expected);
}

TEST_F(DhcpClientTest, ARefusalOfTheRenewalEndsTheLeaseAtOnce) {
  DhcpClient client = bound();
  const auto step = wake(client);
  EXPECT_EQ(client.on_packet(reply(DhcpType::kNak, *step.send), now_).event, Event::kExpired);
}

TEST_F(DhcpClientTest, AnotherAddressIsNoRenewal) {
  DhcpClient client = bound();
  const auto step = wake(client);
  DhcpPacket other = reply(DhcpType::kAck, *step.send);
  other.yours = *IpAddress::parse("10.0.0.8");
  EXPECT_EQ(client.on_packet(other, now_).event, Event::kNone);
  EXPECT_EQ(client.lease()->address.address, kAddress);
}

TEST_F(DhcpClientTest, AfterARestartItGoesOnWhereItWas) {
  const DhcpLease lease = *bound().lease();
  struct {
    int after;
    State state;
    Event event;
  } const cases[] = {
      {100, State::kBound, Event::kNone},
      {600, State::kRenewing, Event::kNone},
      {900, State::kRebinding, Event::kNone},
      {1000, State::kEnded, Event::kExpired},
  };
  for (const auto& c : cases) {
    DhcpClient client = make();
    client.resume(lease, now_);
    EXPECT_EQ(client.on_time(now_ + seconds(c.after)).event, c.event) << c.after;
    EXPECT_EQ(client.state(), c.state) << c.after;
  }
}

TEST_F(DhcpClientTest, ALeaseOfNoTimeIsNotAskedForWithoutEnd) {
  DhcpClient client = make();
  auto step = client.start(now_);
  step = client.on_packet(reply(DhcpType::kOffer, *step.send), now_);
  DhcpPacket ack = reply(DhcpType::kAck, *step.send);
  ack.options[DhcpOption::kLeaseTime] = as_option(0);
  EXPECT_EQ(client.on_packet(ack, now_).event, Event::kBound);
  EXPECT_EQ(client.wake(), now_ + seconds(1));
}

TEST_F(DhcpClientTest, ReleasesWithItsServer) {
  DhcpClient client = bound();
  const auto step = client.release();
  ASSERT_TRUE(step.send);
  EXPECT_TRUE(step.to_server);
  EXPECT_EQ(step.send->type(), DhcpType::kRelease);
  EXPECT_EQ(step.send->client, kAddress);
  EXPECT_EQ(step.send->address(DhcpOption::kServer), kServer);
  EXPECT_FALSE(client.release().send);
  EXPECT_FALSE(make().release().send);
}

}  // namespace
}  // namespace weft::cni
