// service_lab.h: a node with pods, another one, and a client, to see what becomes of real packets
// to services. Used by the tests of every mode of the service proxy.
//
//   client 192.0.2.9 ── 192.0.2.1 node ── 10.244.1.10 pod "here"
//                                     ├── 10.244.1.11 pod "here-too"
//                                     ├── 10.244.1.20 pod, a client
//                                     └── 192.0.3.2 another node, with 10.244.2.10 pod "there"
//
// For IPv6 the same with fd00:192:2::, fd00:192:3::, fd00:244:1:: and fd00:244:2::. All go through
// the node, each on a link of its own. The pods "here" and "there" answer a datagram or a
// connection at port 8080 with their name and the address that it came from.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "kernel/socket_address.h"
#include "kernel/sysctl.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/uninterrupted.h"

namespace weft::test {

/// A network namespace and what is run in it.
class Space {
 public:
  template <class Body>
  auto in(Body body) const {
    const auto visit = must(kernel::NetnsVisit::enter(netns_));
    return body();
  }

  Space() : netns_(must(kernel::Netns::create())) {
    // Addresses are usable at once, link-local ones of links to come included.
    in([] { must(kernel::write_sysctl("net/ipv6/conf/default/accept_dad", "0")); });
    sh("ip link set lo up");
  }

  std::string run(std::vector<std::string> argv, std::string input = {}) const {
    return in([&] { return must(run_or_fail({.argv = std::move(argv), .input = input})); });
  }
  /// Words without quotes.
  std::string sh(const std::string& words) const {
    std::vector<std::string> argv;
    for (const auto& word : split(words, ' '))
      if (!word.empty()) argv.push_back(word);
    return run(std::move(argv));
  }
  const kernel::Netns& netns() const { return netns_; }
  int fd() const { return netns_.fd(); }

 private:
  kernel::Netns netns_;
};

/// Answers datagrams and connections, on a thread of its own, at any number of addresses.
class Answerer {
 public:
  Answerer() : wake_(::eventfd(0, EFD_CLOEXEC)) {}
  ~Answerer() {
    ::eventfd_write(wake_.get(), 1);
    if (thread_.joinable()) thread_.join();
  }

  /// Before start().
  void listen(const Space& space, const std::string& name, const IpAddress& address,
              std::uint16_t port) {
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      Fd socket(space.in(
          [&] { return ::socket(kernel::socket_family(address), type | SOCK_CLOEXEC, 0); }));
      const kernel::SocketAddress own(address, port);
      ASSERT_EQ(::bind(socket.get(), own.get(), own.size), 0)
          << address.to_string() << ": " << std::strerror(errno);
      if (type == SOCK_STREAM) {
        ASSERT_EQ(::listen(socket.get(), SOMAXCONN), 0);
      }
      sockets_.push_back({name, type, std::move(socket)});
    }
  }
  void start() {
    thread_ = std::thread([this] { run(); });
  }

 private:
  struct Listener {
    std::string name;
    int type;
    Fd socket;
  };

  void run() {
    std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}};
    for (const auto& listener : sockets_) polled.push_back({listener.socket.get(), POLLIN, 0});
    for (;;) {
      if (::poll(polled.data(), polled.size(), -1) < 0) continue;
      if (polled[0].revents != 0) return;
      for (std::size_t i = 1; i < polled.size(); ++i)
        if (polled[i].revents != 0) answer(sockets_[i - 1]);
    }
  }
  static void answer(const Listener& listener) {
    kernel::SocketAddress from;
    if (listener.type == SOCK_STREAM) {
      const Fd connection(::accept4(listener.socket.get(), from.get(), &from.size, SOCK_CLOEXEC));
      const std::string text = listener.name + " " + from.address().to_string();
      ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
      return;
    }
    char question[64];
    const int socket = listener.socket.get();
    if (::recvfrom(socket, question, sizeof question, 0, from.get(), &from.size) < 0) return;
    const std::string text = listener.name + " " + from.address().to_string();
    ::sendto(socket, text.data(), text.size(), 0, from.get(), from.size);
  }

  Fd wake_;
  std::vector<Listener> sockets_;
  std::thread thread_;
};

/// What became of a datagram: the answer ("there 192.0.2.1"), "refused" or "nothing". A machine
/// that is busy takes its time to answer.
inline std::string ask(const Space& from, const IpAddress& address, std::uint16_t port,
                       int timeout_ms = 5000) {
  Fd socket(from.in(
      [&] { return ::socket(kernel::socket_family(address), SOCK_DGRAM | SOCK_CLOEXEC, 0); }));
  // From a port that no earlier question came from: its flow would be remembered, and go on to
  // where that one went.
  static std::atomic<std::uint16_t> next_port = 20'000;
  const kernel::SocketAddress own(IpAddress::any(address.family()), next_port++);
  if (::bind(socket.get(), own.get(), own.size) != 0)
    return std::string("bind: ") + std::strerror(errno);
  const kernel::SocketAddress to(address, port);
  if (::connect(socket.get(), to.get(), to.size) != 0)
    return std::string("connect: ") + std::strerror(errno);
  // What the node itself sends is refused at once.
  if (::send(socket.get(), "?", 1, 0) < 0 && errno == ECONNREFUSED) return "refused";
  pollfd polled{socket.get(), POLLIN, 0};
  if (uninterrupted([&] { return ::poll(&polled, 1, timeout_ms); }) == 0) return "nothing";
  char answer[64];
  const ssize_t got = ::recv(socket.get(), answer, sizeof answer, 0);
  if (got < 0) return errno == ECONNREFUSED ? "refused" : std::strerror(errno);
  return {answer, static_cast<std::size_t>(got)};
}

/// The same of a connection.
inline std::string ask_by_tcp(const Space& from, const IpAddress& address, std::uint16_t port,
                              int timeout_ms = 5000) {
  Fd socket(from.in([&] {
    return ::socket(kernel::socket_family(address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }));
  const kernel::SocketAddress to(address, port);
  if (::connect(socket.get(), to.get(), to.size) != 0 && errno != EINPROGRESS)
    return errno == ECONNREFUSED ? "refused" : std::strerror(errno);
  // Once connected it hears the answer, or why it is not connected.
  pollfd polled{socket.get(), POLLIN, 0};
  if (uninterrupted([&] { return ::poll(&polled, 1, timeout_ms); }) == 0) return "nothing";
  char answer[64];
  const ssize_t got = ::recv(socket.get(), answer, sizeof answer, 0);
  if (got < 0) return errno == ECONNREFUSED ? "refused" : std::strerror(errno);
  return {answer, static_cast<std::size_t>(got)};
}

/// Whether nothing comes back, for as long as an answer would hardly ever take.
inline bool hears_nothing(const Space& from, const IpAddress& address, std::uint16_t port) {
  return ask(from, address, port, 200) == "nothing";
}

class ServiceLab {
 public:
  explicit ServiceLab(Family family) : family_(family) {
    node.in([] {
      must(kernel::write_sysctl("net/ipv4/ip_forward", "1"));
      must(kernel::write_sysctl("net/ipv6/conf/all/forwarding", "1"));
      // What the client sends goes back to it where no service takes it, and a redirect would use
      // up the errors that a host is sent in a second.
      must(kernel::write_sysctl("net/ipv4/conf/all/send_redirects", "0"));
      must(kernel::write_sysctl("net/ipv4/conf/default/send_redirects", "0"));
    });
    plug(client, uplink(2, 1), uplink(2, 9));
    plug(other, uplink(3, 1), uplink(3, 2));
    plug(here, pod(1, 1), pod(1, 10));
    plug(here_too, pod(1, 1), pod(1, 11));
    plug(pod_client, pod(1, 1), pod(1, 20));
    other.sh("ip addr add " + pod(2, 10).to_string() + host() + " dev lo" + nodad());
    route(node, pod(2, 10).to_string() + host() + " via " + uplink(3, 2).to_string());
    // What leaves the cluster, and addresses of services, too.
    route(node, "default via " + uplink(2, 9).to_string());
    answers_.listen(here, "here", pod(1, 10), kPort);
    answers_.listen(here_too, "here-too", pod(1, 11), kPort);
    answers_.listen(other, "there", pod(2, 10), kPort);
    answers_.start();
    settle();
  }

  static constexpr std::uint16_t kPort = 8080;
  Family family() const { return family_; }
  /// 192.0.NET.N and 10.244.NET.N
  IpAddress uplink(int network, int number) const {
    return numbered("192.0.", "fd00:192:", network, number);
  }
  IpAddress pod(int network, int number) const {
    return numbered("10.244.", "fd00:244:", network, number);
  }

  Space node, client, other, here, here_too, pod_client;

 private:
  bool v4() const { return family_ == Family::kIpv4; }
  // Until all have found their neighbours: the first packet may be lost to that.
  void settle() const {
    for (const Space* from : {&node, &client, &other, &here, &here_too, &pod_client})
      for (const IpAddress& to : {pod(1, 10), pod(1, 11), pod(2, 10)})
        EXPECT_TRUE(eventually([&] { return ask(*from, to, kPort, 200) != "nothing"; }))
            << to.to_string();
  }
  std::string host() const { return v4() ? "/32" : "/128"; }
  std::string nodad() const { return v4() ? "" : " nodad"; }
  IpAddress numbered(const char* v4_front, const char* v6_front, int network, int number) const {
    return IpAddress::parse((v4() ? v4_front : v6_front) + std::to_string(network) +
                            (v4() ? "." : "::") + std::to_string(number))
        .value();
  }
  // Joins a space to the node, with these addresses, and lets it send everything there.
  void plug(const Space& space, const IpAddress& gateway, const IpAddress& own) {
    const std::string port = "port" + std::to_string(++ports_);
    auto links = node.in([] { return must(kernel::Rtnetlink::open()); });
    must(links.create({.name = port,
                       .kind = "veth",
                       .up = true,
                       .peer = kernel::VethPeer{.name = "eth0", .netns_fd = space.fd()}}));
    node.sh("ip addr add " + gateway.to_string() + host() + " dev " + port + nodad());
    space.sh("ip addr add " + own.to_string() + host() + " dev eth0" + nodad());
    space.sh("ip link set eth0 up");
    route(node, own.to_string() + host() + " dev " + port + " src " + gateway.to_string());
    route(space, gateway.to_string() + host() + " dev eth0");
    route(space, "default via " + gateway.to_string());
  }
  void route(const Space& space, const std::string& words) {
    space.sh(std::string("ip ") + (v4() ? "-4" : "-6") + " route add " + words);
  }

  const Family family_;
  int ports_ = 0;
  Answerer answers_;
};

}  // namespace weft::test
