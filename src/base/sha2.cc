#include "base/sha2.h"

#include <bit>

namespace weft {
namespace {

// The first 64 bits of the fractional parts of the cube roots of the first 80 primes. SHA-256 takes
// the first 32 of the first 64.
constexpr std::array<std::uint64_t, 80> kRound{
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};
// And of the square roots of the first eight.
constexpr std::array<std::uint64_t, 8> kStart{
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

// Two turns and a third that is only a shift, or turns all three.
struct Mix {
  int first, second, third;
};

struct Sha256 {
  using Word = std::uint32_t;
  static constexpr std::size_t kRounds = 64;
  static constexpr Mix kEarly{7, 18, 3}, kLate{17, 19, 10}, kLow{2, 13, 22}, kHigh{6, 11, 25};
};
struct Sha512 {
  using Word = std::uint64_t;
  static constexpr std::size_t kRounds = 80;
  static constexpr Mix kEarly{1, 8, 7}, kLate{19, 61, 6}, kLow{28, 34, 39}, kHigh{14, 18, 41};
};

// The constants of both have the same front.
template <class Word>
Word front_of(std::uint64_t constant) {
  return static_cast<Word>(constant >> (64 - 8 * sizeof(Word)));
}

template <class Word>
Word big_endian(const unsigned char* bytes) {
  Word value = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) value = value << 8U | bytes[i];
  return value;
}

template <class Word>
Word spread(Word word, const Mix& mix) {
  return std::rotr(word, mix.first) ^ std::rotr(word, mix.second) ^ word >> mix.third;
}
template <class Word>
Word turn(Word word, const Mix& mix) {
  return std::rotr(word, mix.first) ^ std::rotr(word, mix.second) ^ std::rotr(word, mix.third);
}

template <class Sha, class Word = typename Sha::Word>
void add_block(std::array<Word, 8>& state, const unsigned char* block) {
  std::array<Word, Sha::kRounds> words;
  for (std::size_t i = 0; i < 16; ++i) words[i] = big_endian<Word>(block + sizeof(Word) * i);
  for (std::size_t i = 16; i < words.size(); ++i)
    words[i] = words[i - 16] + spread(words[i - 15], Sha::kEarly) + words[i - 7] +
               spread(words[i - 2], Sha::kLate);
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word first =
        h + turn(e, Sha::kHigh) + ((e & f) ^ (~e & g)) + front_of<Word>(kRound[i]) + words[i];
    const Word second = turn(a, Sha::kLow) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
  }
  const std::array<Word, 8> added{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

template <class Sha, class Word = typename Sha::Word>
auto digest(std::string_view text, std::array<Word, 8> state) {
  // One bit, zeros, and the length in bits as a number of two words, up to whole blocks.
  constexpr std::size_t kBlock = 16 * sizeof(Word);
  std::string padded(text);
  padded += '\x80';
  padded.resize((padded.size() + 2 * sizeof(Word) + kBlock - 1) / kBlock * kBlock);
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i)
    padded[padded.size() - 1 - i] = static_cast<char>(bits >> (8 * i) & 0xffU);
  const auto* bytes = reinterpret_cast<const unsigned char*>(padded.data());
  for (std::size_t at = 0; at < padded.size(); at += kBlock) add_block<Sha>(state, bytes + at);
  std::array<std::uint8_t, 8 * sizeof(Word)> result;
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<std::uint8_t>(state[i / sizeof(Word)] >>
                                          (8 * (sizeof(Word) - 1 - i % sizeof(Word))));
  return result;
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view text) {
  std::array<std::uint32_t, 8> start;
  for (std::size_t i = 0; i < start.size(); ++i) start[i] = front_of<std::uint32_t>(kStart[i]);
  return digest<Sha256>(text, start);
}

std::array<std::uint8_t, 64> sha512(std::string_view text) {
  return digest<Sha512>(text, kStart);
}

std::string sha512_hex(std::string_view text, std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : sha512(text)) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 0xfU];
  }
  return hex.substr(0, digits);
}

}  // namespace weft
