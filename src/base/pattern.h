// pattern.h: regular expressions in the syntax of Go's regexp package.
//
// The programs that weftd stands in for read patterns with it; it is RE2's syntax, and RE2 is
// what matches here: std::regex has other escapes and no flags such as (?i). In a library of its
// own, so that only the programs that need it carry RE2.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace weft {

class Pattern {
 public:
  static Result<Pattern> parse(const std::string& text);

  /// Whether it matches somewhere in the text.
  bool matches(std::string_view text) const;
  /// What the groups of its first match hold, the whole match in front; nothing where it does not
  /// match. A group that takes no part is empty.
  std::optional<std::vector<std::string>> match(std::string_view text) const;
  /// The places of the groups that have names.
  std::map<std::string, int> group_names() const;
  /// As it was written.
  const std::string& text() const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace weft
