#include "cni/random_names.h"

#include <sys/random.h>

#include <cstdint>
#include <cstdio>

namespace weft::cni {
namespace {

Result<std::uint64_t> random_bits() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) return fail_errno("reading random bits");
  return bits;
}

}  // namespace

Result<std::string> random_veth_name() {
  ASSIGN_OR_RETURN(const std::uint64_t bits, random_bits());
  char name[16];
  std::snprintf(name, sizeof name, "veth%08x", static_cast<unsigned>(bits));
  return std::string(name);
}

Result<MacAddress> random_mac() {
  ASSIGN_OR_RETURN(const std::uint64_t bits, random_bits());
  return MacAddress::from_random(bits);
}

}  // namespace weft::cni
