#include "overlay/udp/counters.h"

namespace weft::overlay::udp {

std::string_view to_string(Drop reason) {
  constexpr std::array<std::string_view, kDropReasons> kNames{
      "no_route",       "ttl_exceeded", "too_big",   "not_ipv4",     "send_failed",
      "unknown_sender", "spoofed",      "malformed", "device_failed"};
  return kNames[static_cast<std::size_t>(reason)];
}

Counters& Counters::operator+=(const Counters& other) {
  sent_packets += other.sent_packets;
  sent_bytes += other.sent_bytes;
  received_packets += other.received_packets;
  received_bytes += other.received_bytes;
  for (std::size_t i = 0; i < kDropReasons; ++i) drops[i] += other.drops[i];
  return *this;
}

Counters Tallies::read() const {
  Counters counters{.sent_packets = sent_packets_.read(),
                    .sent_bytes = sent_bytes_.read(),
                    .received_packets = received_packets_.read(),
                    .received_bytes = received_bytes_.read()};
  for (std::size_t i = 0; i < kDropReasons; ++i) counters.drops[i] = drops_[i].read();
  return counters;
}

}  // namespace weft::overlay::udp
