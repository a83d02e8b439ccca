// sha512.h: SHA-512 (FIPS 180-4), for names that others derive with it. Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

std::array<std::uint8_t, 64> sha512(std::string_view text);
/// The first `digits` hexadecimal digits of it; at most 128.
std::string sha512_hex(std::string_view text, std::size_t digits);

}  // namespace weft
