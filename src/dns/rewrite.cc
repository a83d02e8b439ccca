#include "dns/rewrite.h"

#include "base/text.h"

namespace weft::dns {
namespace {

using Kind = RewriteRule::Kind;

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::optional<std::string> replace_by_pattern(const RewriteRule& rule, const std::string& name) {
  const auto groups = rule.pattern->match(name);
  if (!groups) return std::nullopt;
  std::string result = rule.to;
  for (std::size_t i = 0; i < groups->size(); ++i)
    result = replace_all(std::move(result), "{" + std::to_string(i) + "}", (*groups)[i]);
  return result;
}

// The name that comes of it; nothing when the rule does not fit.
std::optional<std::string> replace_name(const RewriteRule& rule, const std::string& name) {
  switch (rule.kind) {
    case Kind::kExact:
      return name == rule.from ? std::optional(rule.to) : std::nullopt;
    case Kind::kPrefix:
      if (!name.starts_with(rule.from)) return std::nullopt;
      return rule.to + name.substr(rule.from.size());
    case Kind::kSuffix:
      if (!name.ends_with(rule.from)) return std::nullopt;
      return name.substr(0, name.size() - rule.from.size()) + rule.to;
    case Kind::kSubstring:
      if (name.find(rule.from) == std::string::npos) return std::nullopt;
      return replace_all(name, rule.from, rule.to);
    case Kind::kRegex:
      return replace_by_pattern(rule, name);
    case Kind::kType:
      return std::nullopt;
  }
  return std::nullopt;
}

// True when the rule has fitted.
bool apply(const RewriteRule& rule, RewrittenQuestion& question) {
  if (rule.kind == Kind::kType) {
    if (question.type != rule.from_type) return false;
    question.type = rule.to_type;
    return true;
  }
  const auto text = replace_name(rule, question.name.to_string());
  const auto name = text ? Name::parse(*text) : std::nullopt;
  if (!name) return false;
  question.name = name->lowered();
  question.restores_answer = question.restores_answer || rule.restores_answer;
  return true;
}

}  // namespace

std::optional<RewrittenQuestion> rewrite(const std::vector<RewriteRule>& rules,
                                         const LookupName& name, RecordType type) {
  const auto asked = Name::from_wire(name.wire());
  if (!asked) return std::nullopt;
  RewrittenQuestion question{.name = *asked, .type = type};
  for (const RewriteRule& rule : rules)
    if (apply(rule, question) && !rule.goes_on) break;
  if (question.name == *asked && question.type == type) return std::nullopt;
  return question;
}

}  // namespace weft::dns
