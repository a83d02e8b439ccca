#include "overlay/jump_place.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace weft::overlay {
namespace {

// What a rule does, as far as it matters here.
struct Shape {
  std::string target;
  bool unconditional = false;
};

// The rule without its comment, which is no match.
std::string without_comment(const std::string& rule) {
  constexpr std::string_view kComment = "-m comment --comment ";
  const auto begin = rule.find(kComment);
  if (begin == std::string::npos) return rule;
  std::size_t end = begin + kComment.size();
  const bool quoted = end < rule.size() && rule[end] == '"';
  if (quoted) ++end;
  while (end < rule.size() && rule[end] != (quoted ? '"' : ' ')) end += rule[end] == '\\' ? 2 : 1;
  return rule.substr(0, begin) +
         rule.substr(std::min(rule.find_first_not_of("\" ", end), rule.size()));
}

Shape shape_of(const std::string& rule) {
  const std::string text = without_comment(rule);
  for (const std::string_view option : {"-j ", "-g "}) {
    const auto at = text.find(option);
    if (at == std::string::npos || (at != 0 && text[at - 1] != ' ')) continue;
    const auto begin = at + option.size();
    return {.target = text.substr(begin, text.find(' ', begin) - begin), .unconditional = at == 0};
  }
  return {};
}

bool drops(const std::string& target) {
  return target == "DROP" || target == "REJECT";
}

const IptablesChain* find_chain(const IptablesTable& table, const std::string& name) {
  const auto found = table.chains.find(name);
  return found == table.chains.end() ? nullptr : &found->second;
}

enum class End { kNone, kDrops, kAccepts };

// What becomes of a packet that no rule with a match takes. The kernel lets no chain lead back to
// itself; `depth` holds that for what we were given, too.
End end_of(const std::vector<std::string>& rules, const IptablesTable& table, int depth = 0);

End end_of(const Shape& shape, const IptablesTable& table, int depth) {
  constexpr int kDeepest = 64;
  if (!shape.unconditional || depth > kDeepest) return End::kNone;
  if (drops(shape.target)) return End::kDrops;
  if (shape.target == "ACCEPT") return End::kAccepts;
  const IptablesChain* chain = find_chain(table, shape.target);
  return chain == nullptr ? End::kNone : end_of(chain->rules, table, depth + 1);
}

End end_of(const std::vector<std::string>& rules, const IptablesTable& table, int depth) {
  for (const auto& rule : rules) {
    const Shape shape = shape_of(rule);
    if (shape.unconditional && shape.target == "RETURN") return End::kNone;
    if (const End end = end_of(shape, table, depth); end != End::kNone) return end;
  }
  return End::kNone;
}

bool is_of_docker(const std::string& chain) {
  return chain.rfind("DOCKER", 0) == 0 && chain != "DOCKER-USER" &&
         chain.rfind("DOCKER-ISOLATION", 0) != 0;
}

// Whether a chain of Docker's, or one of Docker's behind it, has a rule that drops.
bool docker_drops(const std::string& name, const IptablesTable& table,
                  std::set<std::string>& seen) {
  const IptablesChain* chain = find_chain(table, name);
  if (chain == nullptr || !is_of_docker(name) || !seen.insert(name).second) return false;
  return std::any_of(chain->rules.begin(), chain->rules.end(), [&](const std::string& rule) {
    const std::string target = shape_of(rule).target;
    return drops(target) || docker_drops(target, table, seen);
  });
}

}  // namespace

std::size_t place_jump(const std::vector<std::string>& rules, const IptablesTable& table) {
  const auto obstacle = std::find_if(rules.begin(), rules.end(), [&](const std::string& rule) {
    const Shape shape = shape_of(rule);
    std::set<std::string> seen;
    return end_of(shape, table, 0) == End::kDrops || docker_drops(shape.target, table, seen);
  });
  return static_cast<std::size_t>(obstacle - rules.begin());
}

}  // namespace weft::overlay
