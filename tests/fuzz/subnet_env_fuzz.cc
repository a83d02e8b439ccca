// subnet.env, as anybody who may write below /run/flannel can leave it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cluster/subnet_env.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const auto env = SubnetEnv::parse({reinterpret_cast<const char*>(data), size});
  if (!env) return 0;
  // What is accepted is whole, and writing it loses nothing but further networks of a list.
  CHECK(!env->subnets.empty());
  CHECK(!env->networks.empty());
  const auto again = SubnetEnv::parse(env->to_text());
  CHECK(again && again->subnets == env->subnets && again->mtu == env->mtu);
  return 0;
}
