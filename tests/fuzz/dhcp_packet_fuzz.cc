// What a DHCP server, or anybody on its network, sends to a client: the packet, the message in
// it, the lease, and the client's states.
#include <cstdint>
#include <cstdlib>

#include "cni/plugins/dhcp_client.h"

using namespace weft::cni;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(disclose(bytes, false));
  const auto message = disclose(bytes, true);
  const auto packet = decode_dhcp(message ? *message : bytes);
  if (!packet) return 0;
  // What is read is written so that it reads the same; where options stood in other fields too
  // they stand twice then.
  const auto again = decode_dhcp(encode(*packet));
  const bool overloaded = packet->options.contains(DhcpOption::kOverload);
  if (!overloaded && (!again || *again != *packet)) std::abort();
  static_cast<void>(lease_of(*packet));
  DhcpClient client({.mac = packet->mac}, {}, [&] { return packet->transaction; });
  DhcpTime now{1000};
  client.start(now);
  constexpr int kSteps = 8;
  for (int i = 0; i < kSteps; ++i) {
    client.on_packet(*packet, now);
    now = std::max(now, client.wake());
    client.on_time(now);
  }
  return 0;
}
