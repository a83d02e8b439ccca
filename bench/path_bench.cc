// path_bench: how fast bytes go from here to there, and how soon an answer comes back.
//
//   path_bench serve                     takes streams at TCP port 7001, answers at UDP port 7002,
//                                        and once for each connection at TCP port 7003
//   path_bench stream ADDRESS[:PORT] SECONDS       one TCP stream; prints Mbit/s that arrived
//   path_bench connections ADDRESS[:PORT] SECONDS  one question each, eight clients at a time;
//                                                  prints how many in a second
//   path_bench rtt ADDRESS COUNT         one datagram at a time; prints the median in microseconds
//   path_bench loss ADDRESS SECONDS      one datagram a millisecond; prints how many had no answer
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace {

using weft::Fd;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kStreamPort = 7001;
constexpr std::uint16_t kEchoPort = 7002;
constexpr std::uint16_t kOncePort = 7003;
constexpr int kClients = 8;
constexpr std::size_t kBlock = 128 << 10;

[[noreturn]] void give_up(const char* tried) {
  std::perror(tried);
  std::exit(2);
}

sockaddr_in at(in_addr_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = address;
  return result;
}

Fd open_socket(int type) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

Fd listening_socket(int type, std::uint16_t port) {
  Fd fd = open_socket(type);
  const sockaddr_in here = at(INADDR_ANY, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) < 0) give_up("bind");
  return fd;
}

// Reads a stream to its end and answers with the number of its bytes.
void take_streams() {
  const Fd listener = listening_socket(SOCK_STREAM, kStreamPort);
  if (::listen(listener.get(), 8) < 0) give_up("listen");
  std::vector<char> buffer(kBlock);
  for (;;) {
    const Fd stream(::accept(listener.get(), nullptr, nullptr));
    if (stream.empty()) continue;
    std::uint64_t count = 0;
    for (ssize_t taken = 0; (taken = ::recv(stream.get(), buffer.data(), buffer.size(), 0)) > 0;)
      count += static_cast<std::uint64_t>(taken);
    (void)!::write(stream.get(), &count, sizeof count);
  }
}

// One question, one answer, and that is all.
void answer_once() {
  const Fd listener = listening_socket(SOCK_STREAM, kOncePort);
  if (::listen(listener.get(), SOMAXCONN) < 0) give_up("listen");
  const auto serve = [&] {
    for (char text[128];;) {
      const Fd client(::accept(listener.get(), nullptr, nullptr));
      const ssize_t taken = ::recv(client.get(), text, sizeof text, 0);
      if (taken > 0)
        (void)::send(client.get(), text, static_cast<std::size_t>(taken), MSG_NOSIGNAL);
    }
  };
  const std::jthread other(serve);
  serve();
}

void answer_datagrams() {
  const Fd fd = listening_socket(SOCK_DGRAM, kEchoPort);
  for (;;) {
    char buffer[2048];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* sender = reinterpret_cast<sockaddr*>(&from);
    const ssize_t taken = ::recvfrom(fd.get(), buffer, sizeof buffer, 0, sender, &size);
    if (taken >= 0)
      (void)::sendto(fd.get(), buffer, static_cast<std::size_t>(taken), 0, sender, size);
  }
}

// "ADDRESS" or "ADDRESS:PORT"
Fd connect_to(int type, const std::string& where, std::uint16_t port) {
  Fd fd = open_socket(type);
  const std::size_t colon = where.find(':');
  if (colon != std::string::npos)
    port = static_cast<std::uint16_t>(std::atoi(where.c_str() + colon + 1));
  const sockaddr_in there = at(::inet_addr(where.substr(0, colon).c_str()), port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) < 0)
    give_up("connect");
  return fd;
}

void stream_to(const char* address, int seconds) {
  const Fd fd = connect_to(SOCK_STREAM, address, kStreamPort);
  const std::vector<char> block(kBlock);
  const auto start = Clock::now();
  while (Clock::now() - start < std::chrono::seconds(seconds))
    if (::send(fd.get(), block.data(), block.size(), MSG_NOSIGNAL) < 0) give_up("send");
  ::shutdown(fd.get(), SHUT_WR);
  std::uint64_t arrived = 0;
  if (::recv(fd.get(), &arrived, sizeof arrived, MSG_WAITALL) != sizeof arrived) give_up("recv");
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%.0f\n", static_cast<double>(arrived) * 8e-6 / took);
}

void count_connections(const char* address, int seconds) {
  std::atomic<int> served = 0;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  const auto ask = [&] {
    while (Clock::now() < end) {
      const Fd fd = connect_to(SOCK_STREAM, address, kOncePort);
      char text[100] = {};
      if (::send(fd.get(), text, sizeof text, MSG_NOSIGNAL) < 0) give_up("send");
      if (::recv(fd.get(), text, sizeof text, MSG_WAITALL) == sizeof text) ++served;
    }
  };
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) clients.emplace_back(ask);
  }
  std::printf("%d\n", served / seconds);
}

void measure_rtt(const char* address, int count) {
  const Fd fd = connect_to(SOCK_DGRAM, address, kEchoPort);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    char bytes[64] = {};
    const auto start = Clock::now();
    if (::send(fd.get(), bytes, sizeof bytes, 0) < 0) give_up("send");
    if (::recv(fd.get(), bytes, sizeof bytes, 0) < 0) give_up("recv");
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%.0f\n", times[times.size() / 2]);
}

// Of datagrams sent at a steady pace, those that had no answer a second after the last one.
void count_losses(const char* address, int seconds) {
  const Fd fd = connect_to(SOCK_DGRAM, address, kEchoPort);
  int sent = 0;
  std::jthread sender([&] {
    const auto start = Clock::now();
    for (; sent < seconds * 1000; ++sent) {
      // A refusal is a loss like any other: it has no answer.
      (void)!::send(fd.get(), "?", 1, 0);
      std::this_thread::sleep_until(start + std::chrono::milliseconds(sent));
    }
  });
  int answered = 0;
  const auto end = Clock::now() + std::chrono::seconds(seconds + 1);
  while (Clock::now() < end && answered < seconds * 1000) {
    char byte = 0;
    if (::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 1)
      ++answered;
    else
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  sender.join();
  std::printf("%d\n", sent - answered);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string job = count > 1 ? arguments[1] : "";
  if (job == "serve" && count == 2) {
    const std::jthread echo(answer_datagrams);
    const std::jthread once(answer_once);
    take_streams();
  } else if (job == "stream" && count == 4) {
    stream_to(arguments[2], std::atoi(arguments[3]));
  } else if (job == "connections" && count == 4) {
    count_connections(arguments[2], std::max(1, std::atoi(arguments[3])));
  } else if (job == "rtt" && count == 4) {
    measure_rtt(arguments[2], std::max(1, std::atoi(arguments[3])));
  } else if (job == "loss" && count == 4) {
    count_losses(arguments[2], std::max(1, std::atoi(arguments[3])));
  } else {
    std::fprintf(stderr,
                 "usage: path_bench serve | stream ADDRESS SECONDS | connections ADDRESS SECONDS | "
                 "rtt ADDRESS COUNT | loss ADDRESS SECONDS\n");
    return 2;
  }
}
