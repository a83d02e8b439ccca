// udp_port.h: a UDP socket, at a port of the kernel's choice, that asks one upstream.
//
// Who wants to answer in the upstream's stead must guess the port and the id of a question (RFC
// 5452): a port asks a handful of questions and is then given up for another one, and sooner if
// messages come that answer nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "base/fd.h"
#include "dns/channel.h"
#include "dns/listen_address.h"
#include "dns/own_ports.h"

namespace weft::dns {

class UdpPort : public Channel {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `own` must outlive it.
  static Result<std::unique_ptr<UdpPort>> open(const ListenAddress& upstream, OwnPorts& own);
  ~UdpPort() override { own_.remove(local_); }
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;

  /// Writes an id into the message and sends it.
  Status send(std::span<char> message, Ticket ticket, std::uint16_t random, Time now);

  int fd() const override { return fd_.get(); }
  void ready(std::uint32_t events, ChannelUser& user) override;
  void forget(Ticket ticket) override { outstanding_.remove(ticket); }

  /// Whether another port should be taken for the next question.
  bool is_worn() const { return uses_ >= kMostUses || strays_ >= kMostStrays; }
  bool is_idle() const { return outstanding_.size() == 0; }
  /// When something was asked last.
  Time used() const { return used_; }

 private:
  static constexpr unsigned kMostUses = 32;
  static constexpr unsigned kMostStrays = 8;

  UdpPort(Fd fd, const ListenAddress& upstream, OwnPorts& own, const ListenAddress& local);

  Fd fd_;
  ListenAddress upstream_;
  OwnPorts& own_;
  ListenAddress local_;
  Outstanding outstanding_;
  Time used_;
  unsigned uses_ = 0;
  unsigned strays_ = 0;  // messages that answered nothing
};

/// The address and port that a socket has.
Result<ListenAddress> local_address_of(const Fd& fd);

}  // namespace weft::dns
