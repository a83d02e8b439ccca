// address.h: IP addresses, prefixes, interface addresses and MAC addresses as values.
//
// Every type parses to nothing or to a valid value, prints the way the field prints it
// (IPv6 as in RFC 5952) and is ordered: IPv4 before IPv6, then by number.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

/// 32 or 128.
constexpr std::uint8_t address_bits(Family family) {
  return family == Family::kIpv4 ? 32 : 128;
}
/// "IPv4" or "IPv6".
std::string_view to_string(Family family);

class IpAddress {
 public:
  /// 0.0.0.0
  constexpr IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
  /// The unspecified address of a family: 0.0.0.0 or ::.
  static IpAddress any(Family family);
  /// From network-order bytes: 4 or 16 of them, nothing else.
  static std::optional<IpAddress> from_bytes(std::string_view bytes);
  /// "10.0.0.1" or "fd00::1"; no zone, no leading zeros, no blanks.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::kIpv4; }
  bool is_unspecified() const { return *this == any(family_); }
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_link_local() const;
  /// Network-order bytes, 4 or 16.
  std::string_view bytes() const;
  std::uint32_t v4_number() const;  ///< REQUIRES is_v4()
  std::string to_string() const;

  /// The address `count` further on; nothing when that leaves the family's range.
  std::optional<IpAddress> plus(std::uint64_t count) const;
  /// The first `length` bits, the others zero.
  IpAddress masked(std::uint8_t length) const;
  /// The first `length` bits, the others one.
  IpAddress filled(std::uint8_t length) const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 in the first four
};

/// A network: an address whose bits beyond the length are zero.
class Prefix {
 public:
  /// 0.0.0.0/0
  constexpr Prefix() = default;
  /// Masks the address. REQUIRES length <= address_bits.
  Prefix(const IpAddress& address, std::uint8_t length);
  /// "10.4.0.0/16". Host bits are masked away, as flannel does.
  static std::optional<Prefix> parse(std::string_view text);
  /// The /32 or /128 of one address.
  static Prefix host(const IpAddress& address);

  const IpAddress& address() const { return address_; }
  std::uint8_t length() const { return length_; }
  Family family() const { return address_.family(); }
  bool is_default() const { return length_ == 0; }
  bool contains(const IpAddress& address) const;
  bool contains(const Prefix& other) const;
  bool overlaps(const Prefix& other) const;
  /// The last address: broadcast for IPv4.
  IpAddress last() const { return address_.filled(length_); }
  /// The prefix of the same length that follows; nothing at the end of the range.
  std::optional<Prefix> next() const;
  std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

/// An address as it stands on an interface: with the length of its network, host bits kept.
struct InterfaceAddress {
  IpAddress address = {};
  std::uint8_t length = 0;

  /// "10.4.1.1/24"
  static std::optional<InterfaceAddress> parse(std::string_view text);
  Prefix network() const { return {address, length}; }
  std::string to_string() const;
  auto operator<=>(const InterfaceAddress&) const = default;
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  /// "aa:bb:cc:dd:ee:ff", either case.
  static std::optional<MacAddress> parse(std::string_view text);
  static std::optional<MacAddress> from_bytes(std::string_view bytes);
  /// A unicast, locally administered address out of random bits.
  static MacAddress from_random(std::uint64_t random);
  bool is_zero() const { return *this == MacAddress{}; }
  std::string to_string() const;
  auto operator<=>(const MacAddress&) const = default;
};

}  // namespace weft

template <>
struct std::hash<weft::IpAddress> {
  std::size_t operator()(const weft::IpAddress& address) const noexcept {
    return std::hash<std::string_view>{}(address.bytes());
  }
};
