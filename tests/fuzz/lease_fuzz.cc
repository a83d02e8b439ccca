// Lease keys and values, as anyone who may write to the store can put them there.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cluster/lease.h"
#include "store/lease_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto key = LeaseKey::parse(text)) CHECK(LeaseKey::parse(key->to_string()) == key);
  if (const auto value = LeaseAttributes::parse(text)) {
    const auto again = LeaseAttributes::parse(value->to_json());
    CHECK(again && *again == *value);
  }
  if (const auto lease = parse_lease_file("10.3.1.0-24", text, 1)) {
    const auto again = parse_lease_file("10.3.1.0-24", lease_file_text(*lease), 2);
    CHECK(again && *again == *lease);
  }
  return 0;
}
