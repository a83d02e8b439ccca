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

const std::string& Pattern::text() const {
  return compiled_->pattern();
}

}  // namespace weft
