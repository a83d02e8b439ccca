// text.h: small things done to strings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The parts between separators; an empty text has one empty part.
std::vector<std::string> split(std::string_view text, char separator);

/// Without blanks, tabs and line ends at either side.
std::string_view trim(std::string_view text);

/// A decimal number without sign, blanks or anything behind it.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// The candidate that a person most likely meant: two letters away, or a third of them.
std::optional<std::string> nearest(std::string_view given,
                                   const std::vector<std::string>& candidates);

/// "; did you mean NEAREST?", or nothing.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& candidates);

/// Characters to look for in much text: a table, several times as quick as find_first_of().
class CharacterSet {
 public:
  constexpr explicit CharacterSet(std::string_view characters) {
    for (const char c : characters) has_[static_cast<unsigned char>(c)] = true;
  }
  /// The position of the first of them from `at` on; npos when there is none.
  std::size_t find_in(std::string_view text, std::size_t at = 0) const {
    while (at < text.size() && !has_[static_cast<unsigned char>(text[at])]) ++at;
    return at < text.size() ? at : std::string_view::npos;
  }

 private:
  std::array<bool, 256> has_{};
};

}  // namespace weft
