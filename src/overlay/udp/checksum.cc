#include "overlay/udp/checksum.h"

#include <cstring>

namespace weft::overlay::udp {
namespace {

// Two 64-bit lanes: a vector register of every machine that weft runs on.
using Lanes = std::uint64_t __attribute__((vector_size(16)));

Lanes load(const std::uint8_t* bytes) {
  Lanes lanes;
  std::memcpy(&lanes, bytes, sizeof lanes);
  return lanes;
}

template <class Word>
std::uint64_t take(std::span<const std::uint8_t>& bytes) {
  Word word;
  std::memcpy(&word, bytes.data(), sizeof word);
  bytes = bytes.subspan(sizeof word);
  return word;
}

}  // namespace

// 32-bit words go into 64-bit lanes, so no carry is lost below 16 GB; what is a multiple of
// 0xffff too much goes away in fold().
std::uint64_t add_bytes(std::uint64_t sum, std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kBlock = 2 * sizeof(Lanes);
  Lanes low{};
  Lanes high{};
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) {
    const Lanes first = load(bytes.data());
    const Lanes second = load(bytes.data() + sizeof(Lanes));
    low += (first & 0xffffffffU) + (second & 0xffffffffU);
    high += (first >> 32U) + (second >> 32U);
  }
  sum += low[0] + low[1] + high[0] + high[1];
  while (bytes.size() >= 4) sum += take<std::uint32_t>(bytes);
  if (bytes.size() >= 2) sum += take<std::uint16_t>(bytes);
  if (!bytes.empty()) {
    const std::uint8_t last[2] = {bytes[0], 0};
    std::uint16_t word = 0;
    std::memcpy(&word, last, sizeof word);
    sum += word;
  }
  return sum;
}

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum >> 32U) + (sum & 0xffffffffU);
  sum = (sum >> 32U) + (sum & 0xffffffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  sum = (sum >> 16U) + (sum & 0xffffU);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace weft::overlay::udp
