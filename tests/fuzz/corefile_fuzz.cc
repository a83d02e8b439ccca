// A Corefile, as anybody may write it who may write a ConfigMap; what it imports is itself.
#include <cstdint>
#include <string>

#include "dns/plugin_options.h"

using namespace weft;
using namespace weft::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongest = 4096;
  const std::string text(reinterpret_cast<const char*>(data), size < kLongest ? size : kLongest);
  const CorefileSources sources{
      .environment = [](const std::string& name) { return std::optional(name); },
      .import = [&](const std::string& pattern) -> Result<std::vector<CorefileSources::File>> {
        return std::vector<CorefileSources::File>{{pattern, text.substr(text.size() / 2)}};
      }};
  const auto file = parse_corefile({"Corefile", text}, sources, 53);
  if (file) static_cast<void>(read_plugins(*file));
  return 0;
}
