// Addresses, prefixes and MAC addresses: what parses prints as a text that parses to the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/address.h"

namespace {

template <class Value>
void round_trip(std::string_view text) {
  if (const auto value = Value::parse(text)) CHECK(Value::parse(value->to_string()) == value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip<IpAddress>(text);
  round_trip<Prefix>(text);
  round_trip<InterfaceAddress>(text);
  round_trip<MacAddress>(text);
  if (const auto prefix = Prefix::parse(text)) {
    CHECK(prefix->contains(prefix->address()) && prefix->contains(prefix->last()));
    const auto next = prefix->next();
    CHECK(!next || !prefix->overlaps(*next));
  }
  return 0;
}
