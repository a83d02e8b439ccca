// bytes.h: numbers in network byte order, inside of a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::dns {

/// REQUIRES that so many bytes are there, as do the others.
inline std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
inline std::uint16_t word_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}
inline std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  return std::uint32_t{word_at(bytes, at)} << 16U | word_at(bytes, at + 2);
}

inline void put_word(char* place, std::uint16_t value) {
  place[0] = static_cast<char>(value >> 8U);
  place[1] = static_cast<char>(value);
}
inline void put_number(char* place, std::uint32_t value) {
  put_word(place, static_cast<std::uint16_t>(value >> 16U));
  put_word(place + 2, static_cast<std::uint16_t>(value));
}

}  // namespace weft::dns
