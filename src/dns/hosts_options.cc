// The plugin `hosts`.
#include "dns/option_reading.h"

namespace weft::dns {

Result<HostsOptions> read_hosts(const CorefileLine& plugin) {
  HostsOptions options;
  if (!plugin.words.empty()) options.file = plugin.words[0];
  ASSIGN_OR_RETURN(options.zones, zones_in(plugin, 1));
  CorefileLine rest = plugin;
  rest.block.clear();
  for (const CorefileLine& line : plugin.block) {
    if (!IpAddress::parse(line.name)) {
      rest.block.push_back(line);
      continue;
    }
    std::string entry = line.name;
    for (const std::string& word : line.words) entry += " " + word;
    options.lines.push_back(std::move(entry));
  }
  const auto take_ttl = [&](const CorefileLine& line) -> Status {
    constexpr unsigned kLongest = 65535;
    ASSIGN_OR_RETURN(const unsigned ttl, number_in(line, line.words[0], 1, kLongest));
    options.ttl = std::chrono::seconds(ttl);
    return {};
  };
  const auto take_reload = [&](const CorefileLine& line) -> Status {
    ASSIGN_OR_RETURN(options.reload, duration_in(line, line.words[0]));
    return {};
  };
  const auto take_fallthrough = [&](const CorefileLine& line) -> Status {
    ASSIGN_OR_RETURN(options.fallthrough, fallthrough_in(line));
    return {};
  };
  const auto take_no_reverse = [&](const CorefileLine&) -> Status {
    options.reverse = false;
    return {};
  };
  RETURN_IF_ERROR(read_options(rest, {{"ttl", 1, 1, take_ttl},
                                      {"reload", 1, 1, take_reload},
                                      {"fallthrough", 0, kAnyNumber, take_fallthrough},
                                      {"no_reverse", 0, 0, take_no_reverse}}));
  return options;
}

}  // namespace weft::dns
