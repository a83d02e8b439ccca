// JSON of others, and objects read out of it: no text ends the program, and what is written
// again parses.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const auto json = parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) {
    CHECK(!json.error().what.empty());
    return 0;
  }
  CHECK(parse_json(to_text(*json)).has_value());
  ObjectReader reader(*json, "fuzz");
  bool flag = false;
  std::string text;
  std::vector<std::string> texts;
  int number = 0;
  std::uint32_t positive = 0;
  std::optional<std::int64_t> large;
  reader.read("flag", flag);
  reader.read("text", text);
  reader.read("texts", texts);
  reader.read("number", number);
  reader.read("positive", positive);
  reader.read("large", large);
  static_cast<void>(reader.object("inner"));
  static_cast<void>(reader.array("list"));
  static_cast<void>(reader.finish());
  return 0;
}
