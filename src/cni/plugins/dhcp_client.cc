#include "cni/plugins/dhcp_client.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weft::cni {
namespace {

using std::chrono::seconds;

// The first tries come quickly: a pod waits, and what is sent at once over a link that has just
// been set up is often lost. Then as RFC 2131, section 4.1.
constexpr std::array<DhcpTime, 4> kQuickResends{DhcpTime(200), DhcpTime(500), DhcpTime(1'000),
                                                DhcpTime(2'000)};
constexpr DhcpTime kFirstResend{4'000};
constexpr DhcpTime kSpread{1'000};  // to either side, but no more than a quarter
// Section 4.4.5: half of what is left, but no more often than this, or a share of short leases.
constexpr DhcpTime kLeastExtension{60'000};
constexpr std::uint32_t kLeastShare = 20;

}  // namespace

DhcpClient::DhcpClient(DhcpIdentity identity, DhcpTimeouts timeouts, Random random)
    : identity_(std::move(identity)), timeouts_(timeouts), random_(std::move(random)) {}

DhcpPacket DhcpClient::message(DhcpType type, DhcpTime now) const {
  const auto waiting = std::chrono::duration_cast<seconds>(now - began_).count();
  DhcpPacket packet{
      .transaction = transaction_,
      .seconds = static_cast<std::uint16_t>(std::clamp<std::int64_t>(waiting, 0, 65535)),
      .mac = identity_.mac,
      .options = identity_.options};
  packet.options[DhcpOption::kMessageType] = std::string(1, static_cast<char>(type));
  packet.options[DhcpOption::kClient] = identity_.client_id;
  return packet;
}

DhcpTime DhcpClient::next_resend() {
  DhcpTime delay{};
  if (tries_ < kQuickResends.size()) {
    delay = kQuickResends.at(tries_);
  } else {
    constexpr std::size_t kMostDoublings = 16;
    delay = kFirstResend * (1U << std::min(tries_ - kQuickResends.size(), kMostDoublings));
    delay = std::min(delay, timeouts_.longest_resend);
  }
  ++tries_;
  const auto spread = static_cast<std::uint32_t>(std::min(kSpread, delay / 4).count());
  return delay + DhcpTime(random_() % (2 * spread + 1)) - DhcpTime(spread);
}

DhcpClient::Step DhcpClient::start(DhcpTime now) {
  began_ = now;
  tries_ = 0;
  transaction_ = random_();
  return select(now);
}

DhcpClient::Step DhcpClient::select(DhcpTime now) {
  state_ = State::kSelecting;
  offer_.reset();
  wake_ = std::min(now + next_resend(), began_ + timeouts_.give_up);
  DhcpPacket packet = message(DhcpType::kDiscover, now);
  packet.broadcast = identity_.broadcast;
  return {.send = std::move(packet)};
}

DhcpClient::Step DhcpClient::request(DhcpTime now) {
  asked_ = now;
  wake_ = std::min(now + next_resend(), requested_until_);
  DhcpPacket packet = message(DhcpType::kRequest, now);
  packet.broadcast = identity_.broadcast;
  packet.options[DhcpOption::kRequestedAddress] = offer_->yours.bytes();
  packet.options[DhcpOption::kServer] = offer_->options.at(DhcpOption::kServer);
  return {.send = std::move(packet)};
}

// RENEWING asks the server that gave the lease, REBINDING everybody.
DhcpClient::Step DhcpClient::extend(State state, DhcpTime now) {
  if (state_ != state) transaction_ = random_();
  if (state_ == State::kBound) began_ = now;
  state_ = state;
  asked_ = now;
  const DhcpTime until = at(state == State::kRenewing ? lease_->rebind_after : lease_->seconds);
  const DhcpTime least =
      std::min(kLeastExtension, DhcpTime(seconds(lease_->seconds)) / kLeastShare);
  wake_ = std::min(now + std::max((until - now) / 2, least), until);
  DhcpPacket packet = message(DhcpType::kRequest, now);
  packet.client = lease_->address.address;
  return {.send = std::move(packet), .to_server = state == State::kRenewing};
}

void DhcpClient::resume(const DhcpLease& lease, DhcpTime granted) {
  lease_ = lease;
  granted_ = granted;
  state_ = State::kBound;
  wake_ = at(lease.renew_after);
}

DhcpClient::Step DhcpClient::end(Event event) {
  state_ = State::kEnded;
  lease_.reset();
  return {.event = event};
}

DhcpClient::Step DhcpClient::take(const DhcpPacket& ack, DhcpTime now) {
  const auto lease = lease_of(ack);
  const bool same = !lease_ || (lease && lease->address == lease_->address);
  if (!lease || !same) return {};  // as if it had not come: the time goes on
  resume(*lease, asked_);
  // A lease that is over before it begins would be asked for without end.
  constexpr DhcpTime kShortestPause{1'000};
  wake_ = std::max(wake_, now + kShortestPause);
  return {.event = Event::kBound};
}

DhcpClient::Step DhcpClient::on_packet(const DhcpPacket& packet, DhcpTime now) {
  const auto type = packet.type();
  if (!packet.is_reply || packet.transaction != transaction_ || packet.mac != identity_.mac ||
      state_ == State::kBound || state_ == State::kEnded)
    return {};
  if (state_ == State::kSelecting) {
    if (type != DhcpType::kOffer || packet.yours.is_unspecified() ||
        !packet.address(DhcpOption::kServer))
      return {};
    offer_ = packet;
    state_ = State::kRequesting;
    requested_until_ = std::min(now + timeouts_.answer, began_ + timeouts_.give_up);
    return request(now);
  }
  if (type == DhcpType::kAck) return take(packet, now);
  if (type != DhcpType::kNak) return {};
  if (state_ != State::kRequesting) return end(Event::kExpired);
  // Not at once: a server that always refuses would be asked without end.
  state_ = State::kSelecting;
  wake_ = std::min(now + next_resend(), began_ + timeouts_.give_up);
  transaction_ = random_();
  return {};
}

DhcpClient::Step DhcpClient::on_time(DhcpTime now) {
  if (now < wake_) return {};
  switch (state_) {
    case State::kSelecting:
    case State::kRequesting:
      if (now >= began_ + timeouts_.give_up) return end(Event::kGaveUp);
      if (state_ == State::kRequesting && now < requested_until_) return request(now);
      return select(now);
    case State::kBound:
    case State::kRenewing:
    case State::kRebinding:
      if (now >= at(lease_->seconds)) return end(Event::kExpired);
      return extend(now >= at(lease_->rebind_after) ? State::kRebinding : State::kRenewing, now);
    case State::kEnded:
      break;
  }
  return {};
}

DhcpClient::Step DhcpClient::release() {
  if (!lease_) return end(Event::kNone);
  transaction_ = random_();
  DhcpPacket packet = message(DhcpType::kRelease, began_);
  packet.options.erase(DhcpOption::kParameters);
  packet.client = lease_->address.address;
  packet.options[DhcpOption::kServer] = lease_->server.bytes();
  Step step = end(Event::kNone);
  step.send = std::move(packet);
  step.to_server = true;
  return step;
}

}  // namespace weft::cni
