// What an operator, or whoever may write a ConfigMap, gives as KubeProxyConfiguration: what is
// taken can be written, and says the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/yaml.h"
#include "service/proxy_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  using namespace weft::service;
  const auto read = read_proxy_config({reinterpret_cast<const char*>(data), size});
  if (!read) {
    CHECK(!read.error().what.empty());
    return 0;
  }
  const auto config = complete(read->config);
  if (!config) return 0;
  CHECK(BindAddress::parse(config->healthz_bind_address));
  const std::string text = print_yaml(to_json(*config));
  const auto again = read_proxy_config(text);
  CHECK(again && again->warnings.empty());
  CHECK(print_yaml(to_json(again->config)) == text);
  return 0;
}
