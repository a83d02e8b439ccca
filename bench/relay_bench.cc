// relay_bench: the relay of the service proxy's userspace mode, by itself.
//
//   relay_bench PORT TARGET_PORT    takes TCP clients in at PORT, and carries them to TARGET_PORT
//   at
//                                   127.0.1.1 to 127.0.1.4 in turn, with two workers
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "service/relay/relay.h"

int main(int count, char** arguments) {
  using namespace weft;
  using namespace weft::service;
  if (count != 3) {
    std::fputs("usage: relay_bench PORT TARGET_PORT\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
  const auto target = static_cast<std::uint16_t>(std::atoi(arguments[2]));
  auto relay = Relay::start({.workers = 2});
  if (!relay) {
    std::fprintf(stderr, "%s\n", relay.error().text().c_str());
    return 2;
  }
  const auto balancer = std::make_shared<Balancer>(1);
  std::vector<Place> places;
  for (std::uint32_t i = 1; i <= 4; ++i) places.push_back({IpAddress::v4(0x7f000100 + i), target});
  balancer->set(std::move(places), std::chrono::seconds(0));
  const auto entrance =
      (*relay)->listen(IpAddress::any(Family::kIpv4), port, ServiceProtocol::kTcp, balancer);
  if (!entrance) {
    std::fprintf(stderr, "%s\n", entrance.error().text().c_str());
    return 2;
  }
  ::pause();
}
