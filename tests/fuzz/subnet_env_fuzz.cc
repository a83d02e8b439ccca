// subnet.env, as anybody who may write below /run/flannel can leave it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cni/plugins/subnet_env.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const auto env = cni::parse_subnet_env({reinterpret_cast<const char*>(data), size}, "subnet.env");
  if (!env) return 0;
  // What is accepted is whole.
  CHECK(env->ipv4_subnet || env->ipv6_subnet);
  CHECK(!env->ipv4_networks.empty() || !env->ipv6_networks.empty());
  for (const auto& network : env->ipv4_networks) CHECK(network.family() == Family::kIpv4);
  for (const auto& network : env->ipv6_networks) CHECK(network.family() == Family::kIpv6);
  return 0;
}
