#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/text.h"

namespace weft {
namespace {

int native(Family family) {
  return family == Family::kIpv4 ? AF_INET : AF_INET6;
}

// "ADDRESS/LENGTH" into its halves; a length has neither sign nor leading zeros.
struct Halves {
  IpAddress address;
  std::uint8_t length;
};
std::optional<Halves> parse_with_length(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  const auto length = parse_number(digits);
  if (!address || !length || *length > address_bits(address->family())) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  return Halves{*address, static_cast<std::uint8_t>(*length)};
}

}  // namespace

std::string_view to_string(Family family) {
  return family == Family::kIpv4 ? "IPv4" : "IPv6";
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress result;
  for (unsigned i = 0; i < 4; ++i)
    result.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return result;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress result;
  result.family_ = Family::kIpv6;
  result.bytes_ = bytes;
  return result;
}

IpAddress IpAddress::any(Family family) {
  IpAddress result;
  result.family_ = family;
  return result;
}

std::optional<IpAddress> IpAddress::from_bytes(std::string_view bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress result;
  result.family_ = bytes.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  std::memcpy(result.bytes_.data(), bytes.data(), bytes.size());
  return result;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  IpAddress result;
  result.family_ = text.find(':') == std::string_view::npos ? Family::kIpv4 : Family::kIpv6;
  if (::inet_pton(native(result.family_), terminated, result.bytes_.data()) != 1)
    return std::nullopt;
  return result;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return *this == *any(Family::kIpv6).plus(1);
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80;
}

std::string_view IpAddress::bytes() const {
  return {reinterpret_cast<const char*>(bytes_.data()), is_v4() ? 4U : 16U};
}

std::uint32_t IpAddress::v4_number() const {
  CHECK(is_v4());
  return std::uint32_t{bytes_[0]} << 24U | std::uint32_t{bytes_[1]} << 16U |
         std::uint32_t{bytes_[2]} << 8U | std::uint32_t{bytes_[3]};
}

std::string IpAddress::to_string() const {
  char buffer[INET6_ADDRSTRLEN];
  return ::inet_ntop(native(family_), bytes_.data(), buffer, sizeof buffer);
}

std::optional<IpAddress> IpAddress::plus(std::uint64_t count) const {
  IpAddress result = *this;
  unsigned carry = 0;
  for (std::size_t i = bytes().size(); i-- > 0;) {
    const unsigned sum = result.bytes_[i] + static_cast<unsigned>(count & 0xffU) + carry;
    result.bytes_[i] = static_cast<std::uint8_t>(sum);
    carry = sum >> 8U;
    count >>= 8U;
  }
  if (carry != 0 || count != 0) return std::nullopt;
  return result;
}

IpAddress IpAddress::masked(std::uint8_t length) const {
  IpAddress result = *this;
  for (std::size_t i = 0; i < bytes().size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned kept = length <= before ? 0 : length - before >= 8 ? 8 : length - before;
    result.bytes_[i] = static_cast<std::uint8_t>(result.bytes_[i] & (0xff00U >> kept));
  }
  return result;
}

IpAddress IpAddress::filled(std::uint8_t length) const {
  IpAddress result = *this;
  for (std::size_t i = 0; i < bytes().size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned kept = length <= before ? 0 : length - before >= 8 ? 8 : length - before;
    result.bytes_[i] = static_cast<std::uint8_t>(result.bytes_[i] | (0xffU >> kept));
  }
  return result;
}

Prefix::Prefix(const IpAddress& address, std::uint8_t length)
    : address_(address.masked(length)), length_(length) {
  CHECK(length <= address_bits(address.family()));
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto halves = parse_with_length(text);
  if (!halves) return std::nullopt;
  return Prefix(halves->address, halves->length);
}

Prefix Prefix::host(const IpAddress& address) {
  return {address, address_bits(address.family())};
}

bool Prefix::contains(const IpAddress& address) const {
  return address.family() == family() && address.masked(length_) == address_;
}

bool Prefix::contains(const Prefix& other) const {
  return other.length_ >= length_ && contains(other.address_);
}

bool Prefix::overlaps(const Prefix& other) const {
  return contains(other) || other.contains(*this);
}

std::optional<Prefix> Prefix::next() const {
  const auto following = last().plus(1);
  if (!following) return std::nullopt;
  return Prefix(*following, length_);
}

std::string Prefix::to_string() const {
  return address_.to_string() + "/" + std::to_string(length_);
}

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const auto halves = parse_with_length(text);
  if (!halves) return std::nullopt;
  return InterfaceAddress{halves->address, halves->length};
}

std::string InterfaceAddress::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress result;
  for (std::size_t i = 0; i < 6; ++i) {
    const char* first = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(first, first + 2, result.bytes[i], 16);
    if (error != std::errc{} || end != first + 2) return std::nullopt;
    if (i < 5 && first[2] != ':') return std::nullopt;
  }
  return result;
}

std::optional<MacAddress> MacAddress::from_bytes(std::string_view bytes) {
  MacAddress result;
  if (bytes.size() != result.bytes.size()) return std::nullopt;
  std::memcpy(result.bytes.data(), bytes.data(), bytes.size());
  return result;
}

MacAddress MacAddress::from_random(std::uint64_t random) {
  MacAddress result;
  for (auto& byte : result.bytes) {
    byte = static_cast<std::uint8_t>(random);
    random >>= 8U;
  }
  result.bytes[0] = static_cast<std::uint8_t>((result.bytes[0] & 0xfeU) | 0x02U);
  return result;
}

std::string MacAddress::to_string() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

}  // namespace weft
