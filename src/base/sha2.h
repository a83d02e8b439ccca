// sha2.h: SHA-256 and SHA-512 (FIPS 180-4), for names that others derive with them. Not for
// secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

std::array<std::uint8_t, 32> sha256(std::string_view text);
std::array<std::uint8_t, 64> sha512(std::string_view text);
/// The first `digits` hexadecimal digits of SHA-512; at most 128.
std::string sha512_hex(std::string_view text, std::size_t digits);

}  // namespace weft
