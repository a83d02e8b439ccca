#include "dns/upstream_peer.h"

#include <sys/random.h>

#include <algorithm>

#include "base/check.h"

namespace weft::dns {
namespace {

// Ports that ask at the same time, out of which each question takes one at random.
constexpr std::size_t kPorts = 8;
// Worn ports that may wait for their last answers: an upstream that is silent shall not take all
// descriptors.
constexpr std::size_t kMostWorn = 64;
constexpr std::size_t kMostStreams = 4;
// Questions on one connection before another one is made.
constexpr std::size_t kManyOnStream = 64;

template <class Kind, class Which>
void retire_if(std::vector<Kind*>& list, ChannelSet& channels, Which which) {
  const auto end = std::remove_if(list.begin(), list.end(), [&](Kind* each) {
    if (!which(*each)) return false;
    channels.retire(*each);
    return true;
  });
  list.erase(end, list.end());
}

}  // namespace

std::uint32_t SecretRandom::operator()() {
  if (left_ == 0) {
    CHECK(::getrandom(numbers_.data(), sizeof numbers_, 0) == sizeof numbers_);
    left_ = kBatch;
  }
  return numbers_[--left_];
}

Result<UdpPort*> UpstreamPeer::port(SecretRandom& random) {
  const std::size_t place = random() % kPorts;
  if (place < ports_.size()) {
    if (!ports_[place]->is_worn() || worn_.size() >= kMostWorn) return ports_[place];
    worn_.push_back(ports_[place]);
    ports_.erase(ports_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  ASSIGN_OR_RETURN(auto opened, UdpPort::open(upstream_.address, own_));
  ASSIGN_OR_RETURN(UdpPort * added, channels_.add(std::move(opened)));
  ports_.push_back(added);
  return added;
}

Result<UpstreamStream*> UpstreamPeer::stream(Time now) {
  UpstreamStream* best = nullptr;
  for (UpstreamStream* each : streams_)
    if (!each->is_broken() && (best == nullptr || each->outstanding() < best->outstanding()))
      best = each;
  const bool is_crowded = best != nullptr && best->outstanding() >= kManyOnStream;
  if (best != nullptr && (!is_crowded || streams_.size() >= kMostStreams)) return best;
  std::unique_ptr<TlsSession> session;
  if (tls_ != nullptr) {
    ASSIGN_OR_RETURN(session,
                     TlsSession::start(tls_, upstream_.tls_name, upstream_.address.address));
  }
  ASSIGN_OR_RETURN(auto opened, UpstreamStream::open(upstream_.address, own_, channels_.poller(),
                                                     std::move(session)));
  ASSIGN_OR_RETURN(UpstreamStream * added, channels_.add(std::move(opened)));
  added->touch(now);
  streams_.push_back(added);
  return added;
}

Result<Channel*> UpstreamPeer::send(Way way, std::span<char> message, Ticket ticket,
                                    SecretRandom& random, Time now) {
  const auto id = static_cast<std::uint16_t>(random());
  if (way == Way::kStream) {
    ASSIGN_OR_RETURN(UpstreamStream * chosen, stream(now));
    chosen->send(message, ticket, id, now);
    return chosen;
  }
  ASSIGN_OR_RETURN(UdpPort * chosen, port(random));
  RETURN_IF_ERROR(chosen->send(message, ticket, id, now));
  return chosen;
}

void UpstreamPeer::tend(Time now, std::chrono::milliseconds expire) {
  retire_if(worn_, channels_, [](const UdpPort& each) { return each.is_idle(); });
  retire_if(ports_, channels_,
            [&](const UdpPort& each) { return each.is_idle() && now - each.used() >= expire; });
  retire_if(streams_, channels_, [&](const UpstreamStream& each) {
    return each.outstanding() == 0 && (each.is_broken() || now - each.used() >= expire);
  });
}

std::string UpstreamPeer::describe() const {
  return (is_tls() ? "tls://" : "") + upstream_.address.to_string();
}

}  // namespace weft::dns
