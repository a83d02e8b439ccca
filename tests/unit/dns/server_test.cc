// A server on the loopback device, by real sockets.
#include "dns/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "kernel/socket_address.h"
#include "support/dns_responder.h"
#include "support/eventually.h"
#include "support/must.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using kernel::SocketAddress;
using test::query;
using test::text_of;
using weft::test::eventually;
using weft::test::must;

constexpr const char* kName = "kubernetes.default.svc.cluster.local";
const std::string kAnswer = std::string("NOERROR aa\n") + kName + ". 30 IN A 10.96.0.1";

std::shared_ptr<const ClusterZone> cluster() {
  ZoneBuilder builder(test::zone_options());
  builder.put(test::cluster_service("default", "kubernetes", {"10.96.0.1"}));
  builder.put(test::headless_service("default", "wide"));
  std::vector<weft::Endpoint> endpoints;
  for (unsigned i = 0; i < 200; ++i)
    endpoints.push_back(test::endpoint("10.4.0." + std::to_string(i)));
  builder.put(test::slice_of("default", "wide", "w", endpoints));
  builder.set_complete();
  return builder.zone(1);
}

// One end of a conversation with the server.
class Peer {
 public:
  Peer(int type, const ListenAddress& server)
      : fd_(::socket(kernel::socket_family(server.address), type | SOCK_CLOEXEC, 0)) {
    const SocketAddress to(server.address, server.port);
    EXPECT_EQ(::connect(fd_.get(), to.get(), to.size), 0) << std::strerror(errno);
  }
  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // One datagram, or what a stream has; "" at its end, "timeout" after a while without anything.
  std::string receive(int milliseconds = 5000) const {
    pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, milliseconds) == 0) return "timeout";
    std::array<char, 65536> bytes;
    const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    return size <= 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }
  // The next message of a stream; "" when it ends before.
  std::string receive_framed() {
    while (buffer_.size() < 2 || buffer_.size() < 2U + word_at(buffer_, 0)) {
      const std::string more = receive();
      if (more.empty() || more == "timeout") return more;
      buffer_ += more;
    }
    const std::string message = buffer_.substr(2, word_at(buffer_, 0));
    buffer_.erase(0, 2 + message.size());
    return message;
  }
  void finish() const { ::shutdown(fd_.get(), SHUT_WR); }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  std::string buffer_;
};

std::string framed(const std::string& message) {
  return test::word(static_cast<unsigned>(message.size())) + message;
}

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> start(ServerOptions options) {
    return must(
        Server::start(options, [this](Replies&) { return weft::test::cluster_responder(zones_); }));
  }
  std::unique_ptr<Server> start(const char* address = "127.0.0.1", TcpLimits tcp = {}) {
    return start({.addresses = {{.address = *IpAddress::parse(address), .port = 0}},
                  .workers = 2,
                  .tcp = tcp});
  }

  Published<ClusterZone> zones_{cluster()};
};

TEST_F(ServerTest, AnswersOverUdpOfEitherFamily) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    const auto server = start(address);
    for (int i = 0; i < 20; ++i) {  // ports of clients, so that each worker has some
      const Peer peer(SOCK_DGRAM, server->addresses()[0]);
      peer.send(query(kName, RecordType::kA));
      EXPECT_EQ(text_of(peer.receive()), kAnswer);
    }
  }
}

// A connected client takes nothing from another address than it has asked.
TEST_F(ServerTest, OnAllAddressesItAnswersFromTheOneThatWasAsked) {
  const auto v4 = start("0.0.0.0");
  const Peer other(SOCK_DGRAM, {*IpAddress::parse("127.9.9.9"), v4->addresses()[0].port});
  other.send(query(kName, RecordType::kA));
  EXPECT_EQ(text_of(other.receive()), kAnswer);
  const auto v6 = start("::");
  const Peer same(SOCK_DGRAM, {*IpAddress::parse("::1"), v6->addresses()[0].port});
  same.send(query(kName, RecordType::kA));
  EXPECT_EQ(text_of(same.receive()), kAnswer);
}

TEST_F(ServerTest, GarbageIsDroppedAndTheNextQueryAnswered) {
  const auto server = start();
  const Peer peer(SOCK_DGRAM, server->addresses()[0]);
  peer.send("");
  peer.send("garbage");
  peer.send(std::string(9000, 'x'));
  peer.send(query(kName, RecordType::kA));
  EXPECT_EQ(text_of(peer.receive()), kAnswer);
}

TEST_F(ServerTest, WhatIsTooLargeForUdpComesOverTcp) {
  const auto server = start();
  const std::string asked = query("wide.default.svc.cluster.local", RecordType::kA);
  const Peer udp(SOCK_DGRAM, server->addresses()[0]);
  udp.send(asked);
  EXPECT_TRUE(Header::read(udp.receive()).truncated);
  Peer tcp(SOCK_STREAM, server->addresses()[0]);
  tcp.send(framed(asked));
  const std::string answer = tcp.receive_framed();
  EXPECT_FALSE(Header::read(answer).truncated);
  EXPECT_EQ(Header::read(answer).answers, 200);
}

TEST_F(ServerTest, PipelinedQueriesAreAnsweredInOrder) {
  const auto server = start();
  Peer peer(SOCK_STREAM, server->addresses()[0]);
  std::string stream;
  constexpr std::uint16_t kQueries = 300;
  for (std::uint16_t id = 0; id < kQueries; ++id)
    stream +=
        framed(query(id % 7 == 0 ? "wide.default.svc.cluster.local" : kName, RecordType::kA, id));
  peer.send(stream);
  for (std::uint16_t id = 0; id < kQueries; ++id)
    ASSERT_EQ(Header::read(peer.receive_framed()).id, id);
}

TEST_F(ServerTest, QueriesMayComeByteByByteAndEndWithTheClientsSide) {
  const auto server = start();
  Peer peer(SOCK_STREAM, server->addresses()[0]);
  for (const char byte : framed(query(kName, RecordType::kA))) peer.send({&byte, 1});
  peer.finish();
  EXPECT_EQ(text_of(peer.receive_framed()), kAnswer);
  EXPECT_EQ(peer.receive(), "") << "closed behind the last answer";
}

TEST_F(ServerTest, AStreamOfNoDnsIsClosed) {
  const auto server = start();
  for (const std::string& stream :
       {framed(""), framed("GET /"), std::string("GET / HTTP/1.1\r\n\r\n")}) {
    const Peer peer(SOCK_STREAM, server->addresses()[0]);
    peer.send(stream);
    peer.finish();
    EXPECT_EQ(peer.receive(), "");
  }
}

TEST_F(ServerTest, SilentConnectionsAreClosed) {
  const auto server = start("127.0.0.1", {.patience = {.begin = std::chrono::milliseconds(100),
                                                       .idle = std::chrono::milliseconds(1500)}});
  const Peer silent(SOCK_STREAM, server->addresses()[0]);
  const Peer halting(SOCK_STREAM, server->addresses()[0]);
  halting.send(framed(query(kName, RecordType::kA)).substr(0, 9));
  Peer idle(SOCK_STREAM, server->addresses()[0]);
  idle.send(framed(query(kName, RecordType::kA)));
  EXPECT_EQ(text_of(idle.receive_framed()), kAnswer);
  EXPECT_EQ(silent.receive(), "");
  EXPECT_EQ(halting.receive(), "");
  EXPECT_EQ(idle.receive(100), "timeout") << "after an answer there is more patience";
  EXPECT_EQ(idle.receive(), "");
}

TEST_F(ServerTest, AClientHasSoManyConnectionsAtMost) {
  ServerOptions options{.addresses = {{.address = *IpAddress::parse("127.0.0.1"), .port = 0}},
                        .tcp = {.connections = 3, .of_a_client = 2}};
  const auto server = start(options);
  const auto is_served = [&](Peer& peer) {
    peer.send(framed(query(kName, RecordType::kA)));
    return text_of(peer.receive_framed()) == kAnswer;
  };
  Peer first(SOCK_STREAM, server->addresses()[0]);
  Peer second(SOCK_STREAM, server->addresses()[0]);
  EXPECT_TRUE(is_served(first));
  EXPECT_TRUE(is_served(second));
  const Peer third(SOCK_STREAM, server->addresses()[0]);
  EXPECT_EQ(third.receive(), "");
  EXPECT_TRUE(is_served(first)) << "those that stand are not touched";
}

TEST_F(ServerTest, WhenAllConnectionsAreTakenTheMostSilentMakesWay) {
  ServerOptions options{.addresses = {{.address = *IpAddress::parse("127.0.0.1"), .port = 0}},
                        .tcp = {.connections = 2, .of_a_client = 9}};
  const auto server = start(options);
  const Peer silent(SOCK_STREAM, server->addresses()[0]);
  std::vector<Peer> others;
  for (int i = 0; i < 2; ++i) {
    others.emplace_back(SOCK_STREAM, server->addresses()[0]);
    others.back().send(framed(query(kName, RecordType::kA)));
    EXPECT_EQ(text_of(others.back().receive_framed()), kAnswer);
  }
  EXPECT_EQ(silent.receive(), "");
}

// Ten thousand endpoints asked for over and over by somebody who does not read the answers.
TEST_F(ServerTest, AClientThatDoesNotReadHoldsUpNobody) {
  ServerOptions options{.addresses = {{.address = *IpAddress::parse("127.0.0.1"), .port = 0}}};
  const auto server = start(options);
  const Peer greedy(SOCK_STREAM, server->addresses()[0]);
  std::string stream;
  for (int i = 0; i < 500; ++i)
    stream += framed(query("wide.default.svc.cluster.local", RecordType::kA));
  greedy.send(stream);
  const Peer peer(SOCK_DGRAM, server->addresses()[0]);
  for (int i = 0; i < 10; ++i) {
    peer.send(query(kName, RecordType::kA));
    EXPECT_EQ(text_of(peer.receive()), kAnswer);
  }
}

TEST_F(ServerTest, AChangeIsAnsweredFromTheNextQueryOn) {
  const auto server = start();
  const Peer peer(SOCK_DGRAM, server->addresses()[0]);
  ZoneBuilder builder(test::zone_options());
  builder.put(test::cluster_service("default", "kubernetes", {"10.96.0.99"}));
  zones_.set(builder.zone(2));
  peer.send(query(kName, RecordType::kA));
  EXPECT_TRUE(text_of(peer.receive()).ends_with("10.96.0.99"));
}

// Servers follow each other at one port without a query lost.
TEST_F(ServerTest, ASuccessorTakesOverWithoutALoss) {
  auto server = start();
  const ServerOptions same{.addresses = server->addresses(), .workers = 1};
  std::atomic<bool> done{false};
  std::atomic<int> answered{0};
  std::atomic<int> lost{0};
  std::thread client([&] {
    while (!done) {
      const Peer peer(SOCK_DGRAM, same.addresses[0]);
      peer.send(query(kName, RecordType::kA));
      ++(text_of(peer.receive(2000)) == kAnswer ? answered : lost);
    }
  });
  for (int i = 0; i < 10; ++i) {
    auto next = start(same);
    EXPECT_TRUE(eventually([&, before = answered.load()] { return answered > before + 10; }));
    server = std::move(next);
  }
  done = true;
  client.join();
  EXPECT_EQ(lost, 0);
}

// Promises every answer, and has them a moment later, the last query's first.
class Slow : public Handler {
 public:
  explicit Slow(Replies& replies) : replies_(replies) {}
  std::size_t handle(std::string_view message, const Client& client, std::span<char>) override {
    waiting_.emplace_back(client, std::string(message));
    const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 20'000'000}};
    ::timerfd_settime(timer_.get(), 0, &soon, nullptr);
    return kLater;
  }
  int work_descriptor() const override { return timer_.get(); }
  void work() override {
    std::uint64_t times = 0;
    if (::read(timer_.get(), &times, sizeof times) < 0) return;
    std::reverse(waiting_.begin(), waiting_.end());
    for (auto& [client, message] : waiting_) {
      message[2] = static_cast<char>(message[2] | '\x80');
      replies_.send(client, message);
    }
    waiting_.clear();
  }
  bool owes_answers() const override { return !waiting_.empty(); }

 private:
  Replies& replies_;
  Fd timer_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  std::vector<std::pair<Client, std::string>> waiting_;
};

std::unique_ptr<Server> start_slow(const char* address, TcpLimits tcp = {}) {
  return must(
      Server::start({.addresses = {{.address = *IpAddress::parse(address), .port = 0}}, .tcp = tcp},
                    [](Replies& replies) { return std::make_unique<Slow>(replies); }));
}

TEST(LaterAnswers, GoWhereTheirQueriesCameFrom) {
  for (const auto& [all, one] : {std::pair("0.0.0.0", "127.9.9.9"), std::pair("::", "::1"),
                                 std::pair("127.0.0.1", "127.0.0.1")}) {
    const auto server = start_slow(all);
    const Peer peer(SOCK_DGRAM, {*IpAddress::parse(one), server->addresses()[0].port});
    peer.send(query(kName, RecordType::kA, 1));
    peer.send(query(kName, RecordType::kA, 2));
    const std::string first = peer.receive();
    const std::string second = peer.receive();
    ASSERT_EQ(first.size(), query(kName, RecordType::kA).size());
    EXPECT_EQ(Header::read(first).id + Header::read(second).id, 3);
  }
}

TEST(LaterAnswers, LeaveOverTcpInAnyOrderAndAfterTheClientsEnd) {
  const auto server = start_slow("127.0.0.1");
  Peer peer(SOCK_STREAM, server->addresses()[0]);
  constexpr std::uint16_t kQueries = 300;  // more than may wait at a time
  std::string stream;
  for (std::uint16_t id = 0; id < kQueries; ++id)
    stream += framed(query(kName, RecordType::kA, id));
  peer.send(stream);
  peer.finish();
  std::set<std::uint16_t> answered;
  for (std::uint16_t i = 0; i < kQueries; ++i)
    answered.insert(Header::read(peer.receive_framed()).id);
  EXPECT_EQ(answered.size(), kQueries);
  EXPECT_EQ(peer.receive(), "") << "closed behind the last answer";
}

TEST(LaterAnswers, WhoHasGoneTakesNobodysPlace) {
  const auto server = start_slow("127.0.0.1");
  for (int i = 0; i < 5; ++i) {
    const Peer gone(SOCK_STREAM, server->addresses()[0]);
    gone.send(framed(query(kName, RecordType::kA)));
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(gone.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  Peer peer(SOCK_STREAM, server->addresses()[0]);
  peer.send(framed(query(kName, RecordType::kA, 9)));
  EXPECT_EQ(Header::read(peer.receive_framed()).id, 9);
}

TEST(LaterAnswers, AreWaitedForAtTheEnd) {
  auto server = start_slow("127.0.0.1");
  const Peer udp(SOCK_DGRAM, server->addresses()[0]);
  udp.send(query(kName, RecordType::kA, 1));
  Peer tcp(SOCK_STREAM, server->addresses()[0]);
  tcp.send(framed(query(kName, RecordType::kA, 2)));
  server.reset();
  EXPECT_EQ(Header::read(udp.receive()).id, 1);
  EXPECT_EQ(Header::read(tcp.receive_framed()).id, 2);
}

TEST_F(ServerTest, AnAddressThatIsNotOursIsNamed) {
  const ServerOptions options{
      .addresses = {{.address = *IpAddress::parse("192.0.2.1"), .port = 0}}};
  const auto server = Server::start(options, [](Replies&) { return std::unique_ptr<Handler>(); });
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().what.find("listening on UDP 192.0.2.1:0"), std::string::npos);
}

}  // namespace
}  // namespace weft::dns
