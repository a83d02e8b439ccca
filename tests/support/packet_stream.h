// packet_stream.h: numbered datagrams at a steady rate, and which of them were answered.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "base/fd.h"
#include "kernel/netns.h"
#include "support/must.h"

namespace weft::test {

/// Sends from a network namespace to an IPv4 UDP service that answers each datagram with one.
/// From construction until finish().
class PacketStream {
 public:
  PacketStream(const std::string& netns, const std::string& address, std::uint16_t port,
               std::chrono::microseconds interval)
      : socket_(connect(netns, address, port)),
        sender_([this, interval](const std::stop_token& stop) { send(stop, interval); }),
        receiver_([this](const std::stop_token& stop) { receive(stop); }) {}

  struct Counts {
    std::size_t sent = 0;
    std::size_t answered = 0;
  };

  /// Ends the sending, waits up to 5 s for answers that are on their way, and counts.
  Counts finish() {
    sender_.request_stop();
    sender_.join();
    receiver_.request_stop();
    receiver_.join();
    return {.sent = sent_, .answered = answered_};
  }

 private:
  static Fd connect(const std::string& path, const std::string& address, std::uint16_t port) {
    const auto netns = must(kernel::Netns::open(path));
    const auto visit = must(kernel::NetnsVisit::enter(netns));
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET, address.c_str(), &to.sin_addr), 1);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    // Room for all answers: a thread that waits for its turn must not look like a lossy network.
    const int space = 4 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space);
    const timeval patience{.tv_sec = 0, .tv_usec = 50'000};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return socket;
  }

  void send(const std::stop_token& stop, std::chrono::microseconds interval) {
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      const std::string text = std::to_string(sent_);
      // A refusal is a loss like any other: it has no answer.
      (void)::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      ++sent_;
      next += interval;
      std::this_thread::sleep_until(next);
    }
  }

  // The stop comes when nothing more is sent.
  void receive(const std::stop_token& stop) {
    char answer[512];
    std::optional<std::chrono::steady_clock::time_point> deadline;
    for (;;) {
      if (::recv(socket_.get(), answer, sizeof answer, 0) > 0) ++answered_;
      if (!stop.stop_requested()) continue;
      const auto now = std::chrono::steady_clock::now();
      if (!deadline) deadline = now + std::chrono::seconds(5);
      if (answered_ == sent_ || now > *deadline) return;
    }
  }

  Fd socket_;
  std::size_t sent_ = 0;      // of the sender, until it has been joined
  std::size_t answered_ = 0;  // of the receiver, until it has been joined
  std::jthread sender_;
  std::jthread receiver_;
};

}  // namespace weft::test
