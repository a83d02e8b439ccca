// A datagram that claims to come from the kernel, through every decoder.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "kernel/monitor.h"
#include "kernel/netlink_socket.h"
#include "kernel/nft_codec.h"
#include "kernel/rtnetlink_codec.h"
#include "kernel/traffic_control.h"

namespace {

using namespace weft;
using namespace weft::kernel;

void decode_routing(const Message& message) {
  static_cast<void>(decode_link(message));
  static_cast<void>(decode_link_counters(message));
  static_cast<void>(decode_address(message));
  static_cast<void>(decode_route(message));
  static_cast<void>(decode_neighbour(message));
  static_cast<void>(decode_fdb_entry(message));
  static_cast<void>(decode_rule(message));
  static_cast<void>(decode_qdisc(message));
  static_cast<void>(decode_redirect(message));
  static_cast<void>(decode_event(message, false));
}

// A rule that was understood is understood the same when it comes back.
void decode_nftables(const Message& message) {
  static_cast<void>(nft_codec::decode_generation(message));
  static_cast<void>(nft_codec::decode_table(message));
  static_cast<void>(nft_codec::decode_chain(message));
  static_cast<void>(nft_codec::decode_set(message));
  static_cast<void>(nft_codec::decode_elements(message));
  static_cast<void>(decode_event(message, true));
  const auto rule = nft_codec::decode_rule(message);
  if (!rule) return;
  const auto& [table, value] = *rule;
  const Request request =
      nft_codec::encode_replace_rule(table, value.chain, value.rule, value.rule.handle);
  std::string_view bytes = request.message();
  Message again;
  CHECK(take_message(bytes, again));
  const auto same = nft_codec::decode_rule(again);
  CHECK(same && same->table == table && same->value.chain == value.chain);
  CHECK(same->value.rule == value.rule);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // No receive buffer is larger, and nests could not be written again.
  if (size > 32U << 10U) return 0;
  std::string_view datagram(reinterpret_cast<const char*>(data), size);
  Message message;
  while (take_message(datagram, message)) {
    static_cast<void>(verdict(message));
    decode_routing(message);
    decode_nftables(message);
  }
  return 0;
}
