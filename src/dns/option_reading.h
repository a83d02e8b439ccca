// option_reading.h: reading the words and the block behind a plugin's name.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/corefile.h"
#include "dns/listen_address.h"
#include "dns/plugin_options.h"

namespace weft::dns {

/// One option of a plugin's block: its name, how many words it may have, what takes them.
struct PluginOption {
  std::string name = {};
  std::size_t least = 0;
  std::size_t most = 0;
  std::function<Status(const CorefileLine&)> take;
};
inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

/// Lets each line of the plugin's block be taken by the option of its name.
Status read_options(const CorefileLine& plugin, const std::vector<PluginOption>& options);

/// Refuses words, and a block, behind the plugin's name.
Status expect_words(const CorefileLine& plugin, std::size_t least, std::size_t most);
Status expect_no_block(const CorefileLine& plugin);

// One word of a line as a value; the error names the line.
Result<std::chrono::milliseconds> duration_in(const CorefileLine& line, const std::string& word);
Result<unsigned> number_in(const CorefileLine& line, const std::string& word, unsigned least,
                           unsigned most);
Result<std::vector<Name>> zones_in(const CorefileLine& line, std::size_t first);
/// "1.2.3.4", "1.2.3.4:8080", "[::1]:8080", ":8080", "localhost:8080"; without an address it is
/// ::, which stands for both families, without a port `port`.
Result<ListenAddress> address_in(const CorefileLine& line, const std::string& word,
                                 std::uint16_t port);
/// The words of `fallthrough`; without any it is the root.
Result<Fallthrough> fallthrough_in(const CorefileLine& line);

}  // namespace weft::dns
