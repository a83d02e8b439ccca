// upstream_peer.h: one upstream as one worker sees it: its channels and how well it answers.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dns/channel_set.h"
#include "dns/own_ports.h"
#include "dns/plugin_options.h"
#include "dns/tls_session.h"
#include "dns/udp_port.h"
#include "dns/upstream_score.h"
#include "dns/upstream_stream.h"

namespace weft::dns {

/// Bytes that nobody can foretell (getrandom(2)), for ids and for the choice of ports.
class SecretRandom {
 public:
  std::uint32_t operator()();

 private:
  static constexpr std::size_t kBatch = 64;
  std::array<std::uint32_t, kBatch> numbers_{};
  std::size_t left_ = 0;
};

class UpstreamPeer {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Way : std::uint8_t { kUdp, kStream };

  /// `channels` and `own` must outlive it. `tls` for an upstream that speaks it.
  UpstreamPeer(const Upstream& upstream, std::shared_ptr<const TlsContext> tls,
               ChannelSet& channels, OwnPorts& own)
      : upstream_(upstream), tls_(std::move(tls)), channels_(channels), own_(own) {}

  /// Sends a message under an id of its own; the channel that its answer comes through.
  Result<Channel*> send(Way way, std::span<char> message, Ticket ticket, SecretRandom& random,
                        Time now);

  /// Gives up what is worn, broken, or was not used for `expire`.
  void tend(Time now, std::chrono::milliseconds expire);
  bool has_channels() const { return !ports_.empty() || !worn_.empty() || !streams_.empty(); }

  /// "192.0.2.1:53", "tls://192.0.2.1:853"
  std::string describe() const;
  bool is_tls() const { return tls_ != nullptr; }

  UpstreamScore score = {};
  Time next_check = {};  ///< of its health, while it is down

 private:
  Result<UdpPort*> port(SecretRandom& random);
  Result<UpstreamStream*> stream(Time now);

  const Upstream upstream_;
  const std::shared_ptr<const TlsContext> tls_;
  ChannelSet& channels_;
  OwnPorts& own_;
  std::vector<UdpPort*> ports_;
  std::vector<UdpPort*> worn_;  // that wait for answers yet
  std::vector<UpstreamStream*> streams_;
};

}  // namespace weft::dns
