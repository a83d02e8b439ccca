#include "matrix/name_verdict.h"

#include <set>
#include <string>

#include "matrix/verdict.h"

namespace weft::matrix {
namespace {

std::string listed(const std::set<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Verdict judge_name(const Pair& pair, const Place& name, const ProbeResult& result) {
  const std::string server = pair.target.to_string();
  if (result.answered == 0)
    return {.mark = Mark::kWrong,
            .reason = result.refusal.empty() ? "no answer from " + server
                                             : result.refusal + " from " + server};
  std::set<std::string> right;
  for (const auto& address : name.addresses)
    if (address.family() == *pair.asks) right.insert(address.to_string());
  std::set<std::string> told;
  for (const auto& answer : result.answers) told.insert(answer.name);
  if (told != right)
    return {.mark = Mark::kWrong,
            .reason = server + " says " + listed(told) + " instead of " + listed(right)};
  return result.answered < result.sent ? some_lost(result) : Verdict{};
}

}  // namespace weft::matrix
