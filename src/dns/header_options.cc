// The plugin `header`: [response] set|clear FLAGS..., a line each.
#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

Status take_flags(const CorefileLine& line, std::size_t first, bool value, FlagChanges& flags) {
  if (first == line.words.size()) return line.fault("header: which flags? aa, ra or rd");
  for (std::size_t i = first; i < line.words.size(); ++i) {
    const std::string& word = line.words[i];
    if (word == "aa")
      flags.authoritative = value;
    else if (word == "ra")
      flags.recursion_available = value;
    else if (word == "rd")
      flags.recursion_desired = value;
    else
      return line.fault("header: there is no flag " + shown(word) +
                        did_you_mean(word, {"aa", "ra", "rd"}));
  }
  return {};
}

Status take_selected(const CorefileLine& line, FlagChanges& flags) {
  const std::string& action = line.words[0];
  if (action != "set" && action != "clear")
    return line.fault("header: " + shown(action) + " is neither set nor clear");
  return take_flags(line, 1, action == "set", flags);
}

}  // namespace

Result<FlagChanges> read_header(const CorefileLine& plugin) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 0));
  FlagChanges flags;
  const auto action = [&](const char* name, bool value) {
    return PluginOption{name, 1, kAnyNumber, [&flags, value](const CorefileLine& line) {
                          return take_flags(line, 0, value, flags);
                        }};
  };
  RETURN_IF_ERROR(
      read_options(plugin, {action("set", true),
                            action("clear", false),
                            {"response", 2, kAnyNumber,
                             [&](const CorefileLine& line) { return take_selected(line, flags); }},
                            {"query", 2, kAnyNumber, [](const CorefileLine& line) -> Status {
                               return line.fault("header: flags of queries are not changed",
                                                 "leave query out: response is served");
                             }}}));
  if (flags == FlagChanges{}) return plugin.fault("header needs a block with set or clear in it");
  return flags;
}

}  // namespace weft::dns
