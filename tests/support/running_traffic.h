// running_traffic.h: traffic that goes on while something is done to the network under it, and
// what it has noticed of that.
#pragma once

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/lock_guarded.h"
#include "support/traffic.h"

namespace weft::test {

/// Answers every datagram with itself, and remembers from whom they came.
class UdpEcho {
 public:
  UdpEcho(const kernel::Netns& netns, const IpAddress& address, std::uint16_t port)
      : socket_(open_socket(netns, SOCK_DGRAM, address, port, std::chrono::milliseconds(50))),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  struct Callers {
    std::set<IpAddress> addresses = {};
    std::size_t datagrams = 0;
  };
  Callers callers() const { return callers_.copy(); }

 private:
  void run(const std::stop_token& stop) {
    std::array<char, 2048> bytes{};
    while (!stop.stop_requested()) {
      sockaddr_in from{};
      socklen_t length = sizeof from;
      auto* const address = reinterpret_cast<sockaddr*>(&from);
      const ssize_t taken =
          ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, address, &length);
      if (taken < 0) continue;
      callers_.with([&](Callers& callers) {
        callers.addresses.insert(IpAddress::v4(ntohl(from.sin_addr.s_addr)));
        ++callers.datagrams;
      });
      (void)::sendto(socket_.get(), bytes.data(), static_cast<std::size_t>(taken), 0, address,
                     length);
    }
  }

  Fd socket_;
  LockGuarded<Callers> callers_;
  std::jthread thread_;
};

/// A datagram each millisecond, each from a port of its own: so each asks the rules anew what is
/// to be done with it, which the later ones of one flow do not.
class FreshFlows {
 public:
  FreshFlows(const Pod& from, const IpAddress& to, std::uint16_t port)
      : thread_([&from, there = at(to, port)](const std::stop_token& stop) {
          const auto visit = must(kernel::NetnsVisit::enter(from.netns));
          auto next = std::chrono::steady_clock::now();
          while (!stop.stop_requested()) {
            const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            (void)::sendto(socket.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&there),
                           sizeof there);
            next += std::chrono::milliseconds(1);
            std::this_thread::sleep_until(next);
          }
        }) {}

 private:
  std::jthread thread_;
};

/// Numbered lines along one TCP connection from pod to pod, one each millisecond.
class TcpStream {
 public:
  TcpStream(const Pod& from, const Pod& to)
      : connection_(open_connection(from, to)),
        sender_([this](const std::stop_token& stop) { send(stop); }),
        receiver_([this] { receive(); }) {}

  struct Course {
    std::size_t sent = 0;     ///< lines
    std::size_t arrived = 0;  ///< of them, in order and as they were
    std::chrono::milliseconds longest_pause{0};
  };
  /// Ends the sending, waits for what is on its way and tells how it went.
  Course finish() {
    sender_.request_stop();
    sender_.join();
    ::shutdown(connection_.client.get(), SHUT_WR);
    receiver_.join();
    return course_;
  }

 private:
  static constexpr std::size_t kLine = 64;
  static std::string line(std::size_t number) {
    std::string text = std::to_string(number);
    text.resize(kLine, '.');
    return text;
  }
  void send(const std::stop_token& stop) {
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      const std::string text = line(course_.sent);
      if (::send(connection_.client.get(), text.data(), kLine, MSG_NOSIGNAL) != kLine) return;
      ++course_.sent;
      next += std::chrono::milliseconds(1);
      std::this_thread::sleep_until(next);
    }
  }
  void receive() {
    std::string text(kLine, '\0');
    auto last = std::chrono::steady_clock::now();
    while (::recv(connection_.server.get(), text.data(), kLine, MSG_WAITALL) == kLine &&
           text == line(course_.arrived)) {
      ++course_.arrived;
      const auto now = std::chrono::steady_clock::now();
      course_.longest_pause = std::max(
          course_.longest_pause, std::chrono::duration_cast<std::chrono::milliseconds>(now - last));
      last = now;
    }
  }

  Connection connection_;
  Course course_;  // `sent` is the sender's, the rest the receiver's, until they have been joined
  std::jthread sender_;
  std::jthread receiver_;
};

}  // namespace weft::test
