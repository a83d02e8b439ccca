// base64.h: bytes as text and back (RFC 4648 section 4: padded, no line breaks).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft {

std::string to_base64(std::string_view bytes);

/// Nothing unless `text` is what to_base64() gives for some bytes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace weft
