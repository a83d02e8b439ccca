// The output of iptables-save: what is accepted has rules that fall into words.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "kernel/iptables.h"
#include "kernel/iptables_save.h"
#include "net/iptables_words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(kernel::IptablesVersion::parse(text));
  const auto tables = kernel::parse_iptables_save(text);
  if (!tables) return 0;
  for (const auto& [name, table] : *tables)
    for (const auto& [chain, contents] : table.chains)
      for (const auto& rule : contents.rules) CHECK(iptables_words(rule).has_value());
  return 0;
}
