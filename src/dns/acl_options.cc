// The plugin `acl`: ACTION [type TYPES...] [net SOURCES...], a line each.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

using Action = AclRule::Action;

Status take_type(const CorefileLine& line, const std::string& word, AclRule& rule) {
  const auto type = parse_record_type(word);
  if (!type) return line.fault("acl: there is no record type " + shown(word));
  rule.types.push_back(*type);
  return {};
}

Status take_source(const CorefileLine& line, const std::string& word, AclRule& rule) {
  const auto address = IpAddress::parse(word);
  const auto network = address ? Prefix::host(*address) : Prefix::parse(word);
  if (!network) return line.fault("acl: " + shown(word) + " is no network like 10.0.0.0/8");
  rule.sources.push_back(*network);
  return {};
}

// The words behind an action: each stands behind `type` or `net`. `*` is everything, as is nothing.
Status take_rule(const CorefileLine& line, Action action, AclOptions& options) {
  AclRule rule{.action = action};
  std::string section;
  bool all_types = false;
  bool all_sources = false;
  for (const std::string& word : line.words) {
    if (word == "type" || word == "net") {
      section = word;
      continue;
    }
    if (section.empty())
      return line.fault("acl: " + shown(word) + " stands behind neither type nor net" +
                        did_you_mean(word, {"type", "net"}));
    bool& all = section == "type" ? all_types : all_sources;
    all = all || word == "*";
    if (word == "*") continue;
    RETURN_IF_ERROR(section == "type" ? take_type(line, word, rule)
                                      : take_source(line, word, rule));
  }
  if (all_types) rule.types.clear();
  if (all_sources) rule.sources.clear();
  options.rules.push_back(std::move(rule));
  return {};
}

}  // namespace

Result<AclOptions> read_acl(const CorefileLine& plugin) {
  AclOptions options;
  ASSIGN_OR_RETURN(options.zones, zones_in(plugin, 0));
  const auto rule = [&](const char* name, Action action) {
    return PluginOption{name, 0, kAnyNumber, [&options, action](const CorefileLine& line) {
                          return take_rule(line, action, options);
                        }};
  };
  RETURN_IF_ERROR(
      read_options(plugin, {rule("allow", Action::kAllow), rule("block", Action::kBlock),
                            rule("filter", Action::kFilter), rule("drop", Action::kDrop)}));
  return options;
}

}  // namespace weft::dns
