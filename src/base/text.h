// text.h: small things done to strings.
#pragma once

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

/// The length of the UTF-8 character at the front of `text`; 0 when there is none (RFC 3629).
std::size_t utf8_character(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace weft
