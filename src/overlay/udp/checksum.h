// checksum.h: the Internet checksum (RFC 1071), in pieces that add up.
//
// All sums are over words as they lie in memory; the checksum does not depend on the byte order
// (RFC 1071, section 2B), so nothing is swapped.
#pragma once

#include <cstdint>
#include <span>

namespace weft::overlay::udp {

/// `sum` and the 16-bit words of `bytes`; an odd last byte counts as if a zero followed it.
/// Pieces add up when every one but the last has an even length.
std::uint64_t add_bytes(std::uint64_t sum, std::span<const std::uint8_t> bytes);

/// The sum folded to 16 bits, not complemented: what a pseudo-header leaves in a packet whose
/// checksum is still to be made.
std::uint16_t fold(std::uint64_t sum);

/// The checksum as it stands in a header.
inline std::uint16_t checksum_of(std::uint64_t sum) {
  return static_cast<std::uint16_t>(~fold(sum));
}

}  // namespace weft::overlay::udp
