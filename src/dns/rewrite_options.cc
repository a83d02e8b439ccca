// The plugin `rewrite`: [continue|stop] FIELD ..., or the same in a block.
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

using Kind = RewriteRule::Kind;

std::string with_dot(const std::string& text) {
  return text.ends_with('.') ? text : text + ".";
}

std::optional<Kind> kind_of(const std::string& word) {
  constexpr std::array<std::pair<const char*, Kind>, 5> kKinds = {{{"exact", Kind::kExact},
                                                                   {"prefix", Kind::kPrefix},
                                                                   {"suffix", Kind::kSuffix},
                                                                   {"substring", Kind::kSubstring},
                                                                   {"regex", Kind::kRegex}}};
  for (const auto& [name, kind] : kKinds)
    if (word == name) return kind;
  return std::nullopt;
}

// FROM TO, or KIND FROM TO [answer auto].
Status take_name(const CorefileLine& line, std::vector<std::string> words, RewriteRule& rule) {
  if (words.size() == 2) words.insert(words.begin(), "exact");
  const auto kind = words.empty() ? std::nullopt : kind_of(words[0]);
  if (!kind)
    return line.fault(
        "rewrite name needs exact, prefix, suffix, substring or regex, and two names");
  const bool is_auto = words.size() == 5 && words[3] == "answer" && words[4] == "auto";
  if (words.size() != 3 && !is_auto)
    return line.fault("rewrite name " + words[0] + " takes two texts and perhaps: answer auto");
  rule.kind = *kind;
  rule.from = lower(words[1]);
  rule.to = lower(words[2]);
  if (rule.from.empty()) return line.fault("rewrite name: an empty text is in every name");
  rule.restores_answer = is_auto || rule.kind == Kind::kExact;
  if (rule.kind == Kind::kExact || rule.kind == Kind::kSuffix) {
    rule.from = with_dot(rule.from);
    rule.to = with_dot(rule.to);
  }
  if (rule.kind != Kind::kRegex) return {};
  auto pattern = Pattern::parse(words[1]);
  if (!pattern) return line.fault("rewrite: " + pattern.error().what);
  rule.pattern = *std::move(pattern);
  return {};
}

Status take_type(const CorefileLine& line, const std::vector<std::string>& words,
                 RewriteRule& rule) {
  if (words.size() != 2) return line.fault("rewrite type takes two record types");
  const auto from = parse_record_type(words[0]);
  const auto to = parse_record_type(words[1]);
  if (!from || !to)
    return line.fault("rewrite: there is no record type " + shown(from ? words[1] : words[0]));
  rule.kind = Kind::kType;
  rule.from_type = *from;
  rule.to_type = *to;
  return {};
}

}  // namespace

Result<RewriteRule> read_rewrite(const CorefileLine& plugin) {
  RewriteRule rule;
  std::vector<std::string> words = plugin.words;
  if (!words.empty() && (words[0] == "continue" || words[0] == "stop")) {
    rule.goes_on = words[0] == "continue";
    words.erase(words.begin());
  }
  // In a block the field is the name of a line.
  for (const CorefileLine& line : plugin.block) {
    words.push_back(line.name);
    words.insert(words.end(), line.words.begin(), line.words.end());
  }
  if (words.empty()) return plugin.fault("rewrite needs a field: name or type");
  const std::string field = words[0];
  words.erase(words.begin());
  if (field == "name") {
    RETURN_IF_ERROR(take_name(plugin, std::move(words), rule));
    return rule;
  }
  if (field == "type") {
    RETURN_IF_ERROR(take_type(plugin, words, rule));
    return rule;
  }
  return plugin.fault("rewrite: the field " + shown(field) + " is not served" +
                      did_you_mean(field, {"name", "type"}));
}

}  // namespace weft::dns
