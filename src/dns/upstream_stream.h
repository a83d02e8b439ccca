// upstream_stream.h: a TCP connection to one upstream, with TLS inside where that is asked for.
//
// Questions are pipelined and their answers taken in any order (RFC 7766, section 6.2.1.1; RFC
// 7858). What is asked before the connection stands is sent when it does.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/fd.h"
#include "dns/channel.h"
#include "dns/listen_address.h"
#include "dns/own_ports.h"
#include "dns/poller.h"
#include "dns/tcp_framing.h"
#include "dns/tls_session.h"

namespace weft::dns {

class UpstreamStream : public Channel {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `own` and `poller` must outlive it. Without `tls` it is plain TCP.
  static Result<std::unique_ptr<UpstreamStream>> open(const ListenAddress& upstream, OwnPorts& own,
                                                      Poller& poller,
                                                      std::unique_ptr<TlsSession> tls);
  ~UpstreamStream() override { own_.remove(local_); }
  UpstreamStream(const UpstreamStream&) = delete;
  UpstreamStream& operator=(const UpstreamStream&) = delete;

  /// Writes an id into the message and sends it. What goes wrong is told by ready().
  void send(std::span<char> message, Ticket ticket, std::uint16_t random, Time now);

  int fd() const override { return fd_.get(); }
  bool connects() const override { return !connected_; }
  void ready(std::uint32_t events, ChannelUser& user) override;
  void forget(Ticket ticket) override { outstanding_.remove(ticket); }

  /// Nothing more can be asked through it.
  bool is_broken() const { return broken_; }
  std::size_t outstanding() const { return outstanding_.size(); }
  /// When something was asked last.
  Time used() const { return used_; }
  void touch(Time now) { used_ = now; }
  /// Whether an answer has ever come through it: then the upstream may have closed it for its age.
  bool has_served() const { return has_served_; }

 private:
  UpstreamStream(Fd fd, const ListenAddress& upstream, OwnPorts& own, const ListenAddress& local,
                 Poller& poller, std::unique_ptr<TlsSession> tls);
  Status flush();
  Status read(ChannelUser& user);
  void take_in(std::string_view bytes, ChannelUser& user);
  std::string tried() const;

  Fd fd_;
  ListenAddress upstream_;
  OwnPorts& own_;
  ListenAddress local_;
  Poller& poller_;
  std::unique_ptr<TlsSession> tls_;
  Outstanding outstanding_;
  TcpFraming framing_;
  std::string output_;  // that the kernel has not taken yet
  Time used_;
  bool connected_ = false;
  bool has_served_ = false;
  bool broken_ = false;
};

}  // namespace weft::dns
