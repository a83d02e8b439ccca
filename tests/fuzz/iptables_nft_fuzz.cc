// A rule as the kernel reports it: expressions of anybody, iptables' structs inside.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kernel/iptables_nft_codec.h"
#include "kernel/nft_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view left(reinterpret_cast<const char*>(data), size);
  weft::kernel::Message message;
  if (!weft::kernel::take_message(left, message)) return 0;
  const auto decoded = weft::kernel::nft_codec::decode_rule(message);
  if (!decoded) return 0;
  for (const auto family : {weft::Family::kIpv4, weft::Family::kIpv6}) {
    const auto rule = weft::kernel::iptables_nft::decode(decoded->value.rule, family);
    static_cast<void>(rule.words());
    // What is understood can be written, and is understood alike then.
    if (!rule.is_understood()) continue;
    const auto written = weft::kernel::iptables_nft::encode(rule, family);
    if (weft::kernel::iptables_nft::decode(written, family).words() != rule.words()) std::abort();
  }
  return 0;
}
