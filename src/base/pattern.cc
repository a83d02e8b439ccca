#include "base/pattern.h"

#include <utility>

#include <re2/re2.h>

namespace weft {

Result<Pattern> Pattern::parse(const std::string& text) {
  auto compiled = std::make_shared<const re2::RE2>(text, re2::RE2::Quiet);
  if (!compiled->ok())
    return fail("\"" + text + "\" is no regular expression: " + compiled->error());
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

std::optional<std::vector<std::string>> Pattern::match(std::string_view text) const {
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(compiled_->NumberOfCapturingGroups()) + 1);
  const re2::StringPiece piece(text.data(), text.size());
  if (!compiled_->Match(piece, 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                        static_cast<int>(groups.size())))
    return std::nullopt;
  std::vector<std::string> texts;
  for (const re2::StringPiece& each : groups)
    texts.emplace_back(each.data() == nullptr ? "" : each.data(), each.size());
  return texts;
}

std::map<std::string, int> Pattern::group_names() const {
  return compiled_->NamedCapturingGroups();
}

const std::string& Pattern::text() const {
  return compiled_->pattern();
}

}  // namespace weft
