// The relay: bytes and datagrams of real sockets, from clients to endpoints.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

#include "service/relay/relay.h"
#include "service/relay/relayed_port.h"
#include "support/service_lab.h"

namespace weft::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using weft::test::eventually;
using weft::test::must;
using weft::test::Space;
using weft::test::uninterrupted;

IpAddress loopback(Family family) {
  return IpAddress::parse(family == Family::kIpv4 ? "127.0.0.1" : "::1").value();
}

Fd make_socket(const Space& space, const IpAddress& address, int type) {
  return Fd(
      space.in([&] { return ::socket(kernel::socket_family(address), type | SOCK_CLOEXEC, 0); }));
}
Fd bound(const Space& space, const IpAddress& address, int type, std::uint16_t port = 0) {
  Fd fd = make_socket(space, address, type);
  const kernel::SocketAddress own(address, port);
  EXPECT_EQ(::bind(fd.get(), own.get(), own.size), 0) << std::strerror(errno);
  EXPECT_TRUE(type != SOCK_STREAM || ::listen(fd.get(), 16) == 0);
  return fd;
}
std::uint16_t port_of(const Fd& fd) {
  kernel::SocketAddress own;
  EXPECT_EQ(::getsockname(fd.get(), own.get(), &own.size), 0);
  return own.port();
}
Fd connected(const Space& space, const IpAddress& address, std::uint16_t port,
             int type = SOCK_STREAM) {
  Fd fd = make_socket(space, address, type);
  const kernel::SocketAddress to(address, port);
  if (::connect(fd.get(), to.get(), to.size) != 0) return {};
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}
void say(const Fd& fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t sent = ::send(fd.get(), text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<std::size_t>(sent);
  }
}
// Until the other side ends, or `most` bytes.
std::string hear(const Fd& fd, std::size_t most = std::string::npos) {
  std::string text;
  std::vector<char> buffer(1 << 16);
  while (text.size() < most) {
    const ssize_t got =
        ::recv(fd.get(), buffer.data(), std::min(buffer.size(), most - text.size()), 0);
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}
std::string bytes(std::size_t count) {
  std::string text(count, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return text;
}

class RelayTest : public testing::TestWithParam<Family> {
 protected:
  RelayTest() : own_(loopback(GetParam())) {
    relay_ = start({.workers = 2, .udp_idle = milliseconds(10'000)});
  }
  std::unique_ptr<Relay> start(const RelayOptions& options) {
    return space_.in([&] { return must(Relay::start(options)); });
  }
  // Served for these endpoints, all at the loopback address.
  std::uint16_t serve(const std::vector<std::uint16_t>& ports,
                      ServiceProtocol protocol = ServiceProtocol::kTcp, int affinity = 0) {
    set(ports, affinity);
    const auto entrance =
        space_.in([&] { return must(relay_->listen(own_, 0, protocol, balancer_)); });
    id_ = entrance.id;
    return entrance.port;
  }
  void set(const std::vector<std::uint16_t>& ports, int affinity = 0) {
    std::vector<Place> places;
    for (const std::uint16_t port : ports) places.push_back({own_, port});
    balancer_->set(std::move(places), seconds(affinity));
  }
  Fd listener() { return bound(space_, own_, SOCK_STREAM); }
  Fd client(std::uint16_t port) { return connected(space_, own_, port); }
  static Fd accept(const Fd& listener) {
    return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  // A port that nobody listens at.
  std::uint16_t nobody() {
    const Fd closed = bound(space_, own_, SOCK_DGRAM);
    return port_of(closed);
  }

  Space space_;
  const IpAddress own_;
  std::shared_ptr<Balancer> balancer_ = std::make_shared<Balancer>(1);
  std::unique_ptr<Relay> relay_;
  std::uint64_t id_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Service, RelayTest, testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) {
                           return std::string(each.param == Family::kIpv4 ? "Ipv4" : "Ipv6");
                         });

TEST_P(RelayTest, BytesArriveBothWaysHoweverManyAndEachSideEndsForItself) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  for (const std::size_t size : {std::size_t{1}, std::size_t{100'000}, std::size_t{8} << 20U}) {
    const Fd from = client(port);
    const Fd to = accept(endpoint);
    const std::string up = bytes(size);
    const std::string down = bytes(size / 2 + 3);
    auto sender = std::async(std::launch::async, [&] {
      say(from, up);
      ::shutdown(from.get(), SHUT_WR);
    });
    EXPECT_EQ(hear(to), up);
    // The client has ended and still hears.
    auto answer = std::async(std::launch::async, [&] {
      say(to, down);
      ::shutdown(to.get(), SHUT_WR);
    });
    EXPECT_EQ(hear(from), down);
  }
}

TEST_P(RelayTest, AReceiverThatTakesNothingHoldsOnlyItsOwnConnection) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  const Fd slow = client(port);
  const Fd slow_endpoint = accept(endpoint);
  const std::string much = bytes(std::size_t{32} << 20U);
  auto sender = std::async(std::launch::async, [&] {
    say(slow, much);
    ::shutdown(slow.get(), SHUT_WR);
  });
  for (int i = 0; i < 20; ++i) {
    const Fd from = client(port);
    const Fd to = accept(endpoint);
    say(from, "question");
    EXPECT_EQ(hear(to, 8), "question");
    say(to, "answer");
    EXPECT_EQ(hear(from, 6), "answer");
  }
  EXPECT_EQ(hear(slow_endpoint), much);
}

TEST_P(RelayTest, AnEndpointThatRefusesIsPassedOver) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({nobody(), port_of(endpoint)}, ServiceProtocol::kTcp, 600);
  for (int i = 0; i < 4; ++i) {
    const Fd from = client(port);
    const Fd to = accept(endpoint);
    say(from, "x");
    EXPECT_EQ(hear(to, 1), "x");
  }
}

TEST_P(RelayTest, AnEndpointThatDoesNotAnswerIsPassedOver) {
  // Its queue is full: what knocks there is not answered.
  const Fd deaf = bound(space_, own_, SOCK_STREAM);
  ASSERT_EQ(::listen(deaf.get(), 0), 0);
  std::vector<Fd> queue;
  for (int i = 0; i < 3; ++i) {
    Fd fd = make_socket(space_, own_, SOCK_STREAM | SOCK_NONBLOCK);
    const kernel::SocketAddress to(own_, port_of(deaf));
    ::connect(fd.get(), to.get(), to.size);
    queue.push_back(std::move(fd));
  }
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(deaf), port_of(endpoint)});
  for (int i = 0; i < 2; ++i) {
    const Fd from = client(port);
    const Fd to = accept(endpoint);
    say(from, "x");
    EXPECT_EQ(hear(to, 1), "x");
  }
}

TEST_P(RelayTest, WithoutAnEndpointTheConnectionEnds) {
  const std::uint16_t port = serve({});
  EXPECT_EQ(hear(client(port)), "");
  set({nobody()});
  EXPECT_EQ(hear(client(port)), "");
}

TEST_P(RelayTest, AResetReachesTheOtherSide) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  const Fd from = client(port);
  Fd to = accept(endpoint);
  say(from, "x");
  EXPECT_EQ(hear(to, 1), "x");
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(to.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  to.reset();
  char byte = 0;
  EXPECT_EQ(::recv(from.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(RelayTest, ConnectionsOutliveTheirEndpointAndTheirEntrance) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  const Fd from = client(port);
  const Fd to = accept(endpoint);
  set({});
  relay_->close(id_);
  say(from, "still");
  EXPECT_EQ(hear(to, 5), "still");
  EXPECT_TRUE(client(port).empty());
  // The port is free at once.
  EXPECT_EQ(space_.in([&] {
    return must(relay_->listen(own_, port, ServiceProtocol::kTcp, balancer_)).port;
  }),
            port);
}

TEST_P(RelayTest, AClientStaysWithItsEndpoint) {
  const Fd one = listener();
  const Fd two = listener();
  const std::uint16_t port = serve({port_of(one), port_of(two)}, ServiceProtocol::kTcp, 600);
  std::vector<Fd> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(client(port));
  const auto waiting = [](const Fd& fd) {
    int count = 0;
    for (pollfd polled{fd.get(), POLLIN, 0};
         uninterrupted([&] { return ::poll(&polled, 1, 300); }) > 0;)
      if (!accept(fd).empty()) ++count;
    return count;
  };
  const int first = waiting(one);
  EXPECT_EQ(first + waiting(two), 6);
  EXPECT_TRUE(first == 0 || first == 6) << first;
}

TEST_P(RelayTest, APortThatIsTakenIsAnErrorAndSctpIsRefused) {
  const Fd taken = listener();
  const auto refused = space_.in(
      [&] { return relay_->listen(own_, port_of(taken), ServiceProtocol::kTcp, balancer_); });
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("relaying TCP at " + own_.to_string() + " port " +
                                        std::to_string(port_of(taken))),
            std::string::npos)
      << refused.error().text();
  EXPECT_FALSE(relay_->listen(own_, 0, ServiceProtocol::kSctp, balancer_));
}

TEST_P(RelayTest, PortsComeFromARangeUntilItIsUsedUp) {
  const Fd taken = listener();
  const std::uint16_t first = port_of(taken);
  relay_ = start({.workers = 1, .any_port = {.first = first, .count = 3}});
  const auto listen = [&] {
    return space_.in([&] { return relay_->listen(own_, 0, ServiceProtocol::kTcp, balancer_); });
  };
  EXPECT_EQ(must(listen()).port, first + 1);
  EXPECT_EQ(must(listen()).port, first + 2);
  const auto none = listen();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("widen --proxy-port-range"), std::string::npos)
      << none.error().text();
}

TEST(PortRangeText, IsAsKubernetesWritesIt) {
  const auto parse = [](const char* text) { return must(PortRange::parse(text)); };
  for (const char* none : {"", "0-0", " "}) EXPECT_EQ(parse(none), PortRange{}) << none;
  EXPECT_EQ(parse("50000-50099"), (PortRange{.first = 50000, .count = 100}));
  EXPECT_EQ(parse("50000+99"), (PortRange{.first = 50000, .count = 100}));
  EXPECT_EQ(parse("50000"), (PortRange{.first = 50000, .count = 1}));
  for (const char* wrong : {"x", "1-", "-5", "9-3", "70000-70001", "65535+1", "1-2-3"})
    EXPECT_FALSE(PortRange::parse(wrong)) << wrong;
}

// All descriptors that the process may have are taken, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit_), 0);
    const rlimit few{.rlim_cur = 128, .rlim_max = limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int fd = ::dup(0); fd != -1; fd = ::dup(0)) taken_.emplace_back(fd);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &limit_); }
  void not_even_a_spare() const {
    const rlimit few{.rlim_cur = 3, .rlim_max = limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit limit_{};
  std::vector<Fd> taken_;
};

TEST_P(RelayTest, WithoutDescriptorsClientsAreTurnedAwayAndLaterServedAgain) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  const kernel::SocketAddress to(own_, port);
  std::vector<Fd> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(make_socket(space_, own_, SOCK_STREAM));
  {
    const NoDescriptors none;
    for (int i = 0; i < 3; ++i) {
      const Fd& fd = clients[static_cast<std::size_t>(i)];
      ASSERT_EQ(::connect(fd.get(), to.get(), to.size), 0);
      EXPECT_EQ(hear(fd), "");
    }
    // The one that is kept for this is gone, too.
    none.not_even_a_spare();
    ASSERT_EQ(::connect(clients[3].get(), to.get(), to.size), 0);
    pollfd polled{clients[3].get(), POLLIN, 0};
    EXPECT_EQ(uninterrupted([&] { return ::poll(&polled, 1, 250); }), 0);
  }
  // Who has waited is served.
  const Fd served = accept(endpoint);
  say(clients[3], "x");
  EXPECT_EQ(hear(served, 1), "x");
}

TEST_P(RelayTest, ManyClientsAtOnce) {
  const Fd endpoint = listener();
  const std::uint16_t port = serve({port_of(endpoint)});
  std::atomic<bool> over = false;
  std::thread echo([&] {
    for (pollfd polled{endpoint.get(), POLLIN, 0}; !over;) {
      if (uninterrupted([&] { return ::poll(&polled, 1, 20); }) <= 0) continue;
      const Fd to = accept(endpoint);
      say(to, hear(to));
    }
  });
  std::vector<std::future<int>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(std::async(std::launch::async, [&, i] {
      int right = 0;
      for (int n = 0; n < 50; ++n) {
        const Fd fd = client(port);
        const std::string text = "client " + std::to_string(i) + " " + std::to_string(n);
        say(fd, text);
        ::shutdown(fd.get(), SHUT_WR);
        right += hear(fd) == text ? 1 : 0;
      }
      return right;
    }));
  for (auto& each : all) EXPECT_EQ(each.get(), 50);
  over = true;
  echo.join();
}

// --- datagrams
// ----------------------------------------------------------------------------------

std::string hear_from(const Fd& fd, kernel::SocketAddress& from) {
  char buffer[64];
  pollfd polled{fd.get(), POLLIN, 0};
  if (uninterrupted([&] { return ::poll(&polled, 1, 10'000); }) <= 0) return "nothing";
  from.size = sizeof from.storage;
  const ssize_t got = ::recvfrom(fd.get(), buffer, sizeof buffer, 0, from.get(), &from.size);
  return got < 0 ? std::strerror(errno) : std::string(buffer, static_cast<std::size_t>(got));
}

TEST_P(RelayTest, DatagramsOfAClientGoToOneEndpointAndAnswersComeBack) {
  const Fd endpoint = bound(space_, own_, SOCK_DGRAM);
  const std::uint16_t port = serve({port_of(endpoint)}, ServiceProtocol::kUdp);
  kernel::SocketAddress from;
  std::set<std::uint16_t> sources;
  for (int i = 0; i < 2; ++i) {
    const Fd fd = connected(space_, own_, port, SOCK_DGRAM);
    for (const char* text : {"one", "two"}) {
      say(fd, text);
      EXPECT_EQ(hear_from(endpoint, from), text);
      sources.insert(from.port());
      ::sendto(endpoint.get(), "answer", 6, 0, from.get(), from.size);
      EXPECT_EQ(hear(fd, 6), "answer");
    }
  }
  EXPECT_EQ(sources.size(), 2U);
}

TEST_P(RelayTest, ASilentClientIsForgotten) {
  relay_ = start({.workers = 1, .udp_idle = milliseconds(50)});
  const Fd endpoint = bound(space_, own_, SOCK_DGRAM);
  const std::uint16_t port = serve({port_of(endpoint)}, ServiceProtocol::kUdp);
  const Fd fd = connected(space_, own_, port, SOCK_DGRAM);
  kernel::SocketAddress from;
  std::set<std::uint16_t> sources;
  EXPECT_TRUE(eventually([&] {
    say(fd, "x");
    EXPECT_EQ(hear_from(endpoint, from), "x");
    sources.insert(from.port());
    std::this_thread::sleep_for(milliseconds(60));
    return sources.size() > 2;
  }));
}

TEST_P(RelayTest, AnEndpointThatIsGoneOrRefusesGetsNoMoreDatagrams) {
  const Fd one = bound(space_, own_, SOCK_DGRAM);
  Fd two = bound(space_, own_, SOCK_DGRAM);
  const std::uint16_t port = serve({port_of(one)}, ServiceProtocol::kUdp, 600);
  const Fd fd = connected(space_, own_, port, SOCK_DGRAM);
  kernel::SocketAddress from;
  say(fd, "x");
  EXPECT_EQ(hear_from(one, from), "x");
  set({port_of(two)}, 600);
  say(fd, "y");
  EXPECT_EQ(hear_from(two, from), "y");
  set({port_of(one), port_of(two)}, 600);
  two.reset();
  // The first one is lost, and tells.
  EXPECT_TRUE(eventually([&] {
    say(fd, "z");
    pollfd polled{one.get(), POLLIN, 0};
    return uninterrupted([&] { return ::poll(&polled, 1, 20); }) > 0;
  }));
}

// A program that is being started: it has copies of all descriptors until it is what it shall be.
class HalfStarted {
 public:
  HalfStarted() {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ != 0) return;
    char end = 0;
    ::close(ends_[1]);
    ::_exit(::read(ends_[0], &end, 1) == 0 ? 0 : 1);
  }
  HalfStarted(const HalfStarted&) = delete;
  HalfStarted& operator=(const HalfStarted&) = delete;
  ~HalfStarted() {
    ::close(ends_[1]);
    ::waitpid(child_, nullptr, 0);
    ::close(ends_[0]);
  }

 private:
  int ends_[2] = {-1, -1};
  pid_t child_ = -1;
};

TEST_P(RelayTest, ASocketThatAProgramBeingStartedStillHasIsLeft) {
  const Fd one = bound(space_, own_, SOCK_DGRAM);
  const Fd two = bound(space_, own_, SOCK_DGRAM);
  const std::uint16_t port = serve({port_of(one)}, ServiceProtocol::kUdp);
  const Fd fd = connected(space_, own_, port, SOCK_DGRAM);
  kernel::SocketAddress former;
  say(fd, "x");
  EXPECT_EQ(hear_from(one, former), "x");
  const HalfStarted program;
  set({port_of(two)});
  kernel::SocketAddress from;
  say(fd, "y");
  EXPECT_EQ(hear_from(two, from), "y");
  // The relay has closed that socket, and the copy makes it receive yet.
  for (int i = 0; i < 10; ++i) ::sendto(one.get(), "late", 4, 0, former.get(), former.size);
  say(fd, "z");
  EXPECT_EQ(hear_from(two, from), "z");
  ::sendto(two.get(), "answer", 6, 0, from.get(), from.size);
  EXPECT_EQ(hear(fd, 6), "answer");
}

TEST_P(RelayTest, WithoutDescriptorsDatagramsAreLostAndLaterCarriedAgain) {
  relay_ = start({.workers = 1, .udp_idle = seconds(60)});
  const Fd endpoint = bound(space_, own_, SOCK_DGRAM);
  const std::uint16_t port = serve({port_of(endpoint)}, ServiceProtocol::kUdp);
  const Fd last = connected(space_, own_, port, SOCK_DGRAM);
  kernel::SocketAddress from;
  {
    const NoDescriptors none;
    say(last, "lost");
    pollfd polled{endpoint.get(), POLLIN, 0};
    EXPECT_EQ(uninterrupted([&] { return ::poll(&polled, 1, 100); }), 0);
  }
  say(last, "found");
  EXPECT_EQ(hear_from(endpoint, from), "found");
}

// --- what a service has open
// ----------------------------------------------------------------------

TEST_P(RelayTest, APortOfAServiceIsOpenWhereItIsWanted) {
  const Fd endpoint = listener();
  const Fd taken = listener();
  RelayedPort port(*relay_, ServiceProtocol::kTcp);
  PortPlan plan;
  plan.cluster = {{.address = own_, .port = port_of(endpoint)}};
  port.set_endpoints(plan);
  const ListenAt any{own_, 0};
  const ListenAt others{own_, port_of(taken)};
  const auto listen = [&](const std::set<ListenAt>& wanted) {
    return space_.in([&] { return port.listen(wanted); });
  };
  EXPECT_EQ(listen({any, others}).size(), 1U);
  ASSERT_TRUE(port.port(any));
  EXPECT_FALSE(port.port(others));
  const std::uint16_t open = *port.port(any);
  EXPECT_FALSE(client(open).empty());
  EXPECT_EQ(listen({any}).size(), 0U);
  EXPECT_EQ(port.port(any), open);
  EXPECT_EQ(listen({}).size(), 0U);
  EXPECT_TRUE(client(open).empty());
}

}  // namespace
}  // namespace weft::service
