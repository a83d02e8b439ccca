// dns_upstream.h: a DNS server on loopback that answers as a test wants, over UDP and TCP at one
// port.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "dns/bytes.h"
#include "dns/listen_address.h"
#include "kernel/socket_address.h"

namespace weft::test {

class DnsUpstream {
 public:
  /// What is sent back for a query; nothing: silence. Called on the server's thread.
  using Answer = std::function<std::optional<std::string>(std::string_view query, bool over_tcp)>;

  /// Without `tcp` connections are refused.
  explicit DnsUpstream(Answer answer, bool tcp = true) : answer_(std::move(answer)) {
    udp_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    bind(udp_, 0);
    kernel::SocketAddress local;
    EXPECT_EQ(::getsockname(udp_.get(), local.get(), &local.size), 0);
    address_ = {.address = IpAddress::v4(INADDR_LOOPBACK), .port = local.port()};
    if (tcp) {
      tcp_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      bind(tcp_, address_.port);
      EXPECT_EQ(::listen(tcp_.get(), 16), 0);
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  const dns::ListenAddress& address() const { return address_; }
  unsigned over_udp() const { return over_udp_; }
  unsigned over_tcp() const { return over_tcp_; }
  /// The ports that have asked, in order.
  std::vector<std::uint16_t> client_ports() const {
    const std::lock_guard lock(mutex_);
    return client_ports_;
  }

 private:
  static void bind(const Fd& fd, std::uint16_t port) {
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const kernel::SocketAddress address(IpAddress::v4(INADDR_LOOPBACK), port);
    EXPECT_EQ(::bind(fd.get(), address.get(), address.size), 0);
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> waits{{.fd = udp_.get(), .events = POLLIN, .revents = 0}};
      if (!tcp_.empty()) waits.push_back({.fd = tcp_.get(), .events = POLLIN, .revents = 0});
      for (const auto& connection : connections_)
        waits.push_back({.fd = connection.get(), .events = POLLIN, .revents = 0});
      if (::poll(waits.data(), waits.size(), 20) <= 0) continue;
      for (const pollfd& wait : waits)
        if (wait.revents != 0) serve(wait.fd);
    }
  }

  void serve(int fd) {
    if (fd == udp_.get()) return serve_udp();
    if (fd == tcp_.get()) {
      connections_.emplace_back(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      return;
    }
    std::array<char, 65537> bytes;
    const bool is_whole = ::recv(fd, bytes.data(), 2, MSG_WAITALL) == 2 &&
                          ::recv(fd, bytes.data() + 2, dns::word_at({bytes.data(), 2}, 0),
                                 MSG_WAITALL) == dns::word_at({bytes.data(), 2}, 0);
    const std::string_view query(bytes.data() + 2, dns::word_at({bytes.data(), 2}, 0));
    if (is_whole) ++over_tcp_;
    const auto reply = is_whole ? answer_(query, true) : std::nullopt;
    if (reply) {
      std::string framed(2, '\0');
      dns::put_word(framed.data(), static_cast<std::uint16_t>(reply->size()));
      framed += *reply;
      (void)!::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
    }
    if (is_whole) return;
    std::erase_if(connections_, [&](const Fd& each) { return each.get() == fd; });
  }

  void serve_udp() {
    std::array<char, 4096> bytes;
    kernel::SocketAddress peer;
    const ssize_t size =
        ::recvfrom(udp_.get(), bytes.data(), bytes.size(), 0, peer.get(), &peer.size);
    if (size < 0) return;
    {
      const std::lock_guard lock(mutex_);
      client_ports_.push_back(peer.port());
    }
    ++over_udp_;
    const auto reply = answer_({bytes.data(), static_cast<std::size_t>(size)}, false);
    if (reply) (void)!::sendto(udp_.get(), reply->data(), reply->size(), 0, peer.get(), peer.size);
  }

  const Answer answer_;
  Fd udp_;
  Fd tcp_;
  dns::ListenAddress address_;
  std::vector<Fd> connections_;
  std::atomic<unsigned> over_udp_{0};
  std::atomic<unsigned> over_tcp_{0};
  mutable std::mutex mutex_;
  std::vector<std::uint16_t> client_ports_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft::test
