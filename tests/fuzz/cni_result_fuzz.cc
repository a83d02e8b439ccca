// Results of CNI plugins that are not ours: delegates' answers and prevResult.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cni/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const auto json = parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  (void)cni::previous_result(*json, "1.0.0");
  const auto result = cni::decode_result(*json, "1.0.0");
  if (!result) return 0;
  for (const char* version : {"0.2.0", "0.4.0", "1.1.0"})
    (void)cni::encode_result(*result, version);
  // The newest form loses nothing.
  const auto again = cni::decode_result(*cni::encode_result(*result, "1.1.0"), "1.1.0");
  CHECK(again && *again == *result);
  return 0;
}
