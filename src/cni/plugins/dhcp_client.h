// dhcp_client.h: the states of one DHCP client (RFC 2131, figure 5). Pure: the clock and what has
// arrived go in, what is to be sent comes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cni/plugins/dhcp_packet.h"

namespace weft::cni {

/// Since any fixed moment.
using DhcpTime = std::chrono::milliseconds;

struct DhcpTimeouts {
  DhcpTime answer{10'000};  ///< for a server to confirm its offer; then another is looked for
  DhcpTime longest_resend{62'000};
  DhcpTime give_up{208'000};  ///< without a lease
};

/// Who asks, and for what.
struct DhcpIdentity {
  MacAddress mac = {};
  std::string client_id = {};  ///< option 61, a type byte in front
  DhcpOptions options = {};    ///< sent with every message, the parameter request list among them
  bool broadcast = false;
};

class DhcpClient {
 public:
  enum class State { kSelecting, kRequesting, kBound, kRenewing, kRebinding, kEnded };
  enum class Event {
    kNone,
    kBound,    ///< there is a lease, new or prolonged
    kGaveUp,   ///< nobody gave one
    kExpired,  ///< the lease is over, or the server took it back: the address must not be used
  };
  struct Step {
    Event event = Event::kNone;
    std::optional<DhcpPacket> send = {};
    bool to_server = false;  ///< else to everybody
  };
  /// Any number, for transactions and for spreading retries.
  using Random = std::function<std::uint32_t()>;

  DhcpClient(DhcpIdentity identity, DhcpTimeouts timeouts, Random random);

  /// Looks for a lease.
  Step start(DhcpTime now);
  /// Goes on with a lease that was granted at `granted`, as after a restart.
  void resume(const DhcpLease& lease, DhcpTime granted);
  Step on_packet(const DhcpPacket& packet, DhcpTime now);
  /// To be called at wake() or later.
  Step on_time(DhcpTime now);
  /// Gives the lease back. Nothing is sent where there is none.
  Step release();

  State state() const { return state_; }
  DhcpTime wake() const { return wake_; }
  const std::optional<DhcpLease>& lease() const { return lease_; }
  DhcpTime granted() const { return granted_; }

 private:
  DhcpPacket message(DhcpType type, DhcpTime now) const;
  Step select(DhcpTime now);
  Step request(DhcpTime now);
  Step extend(State state, DhcpTime now);
  Step take(const DhcpPacket& ack, DhcpTime now);
  Step end(Event event);
  DhcpTime next_resend();
  DhcpTime at(std::uint32_t seconds) const { return granted_ + std::chrono::seconds(seconds); }

  DhcpIdentity identity_;
  DhcpTimeouts timeouts_;
  Random random_;
  State state_ = State::kEnded;
  std::uint32_t transaction_ = 0;
  DhcpTime began_{};
  DhcpTime wake_{};
  DhcpTime asked_{};  // when the message was sent that the next ACK answers
  DhcpTime requested_until_{};
  std::size_t tries_ = 0;
  std::optional<DhcpPacket> offer_ = {};
  std::optional<DhcpLease> lease_ = {};
  DhcpTime granted_{};
};

}  // namespace weft::cni
