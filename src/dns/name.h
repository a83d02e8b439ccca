// name.h: domain names, as they stand on the wire.
//
// A name is its labels, each behind its length, and a zero byte (RFC 1035, section 3.1). Letters
// compare without their case (RFC 4343) but keep it. A length byte is at most 63 and thus below
// every letter: a whole name can be made small letters without looking at its structure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace weft::dns {

inline constexpr std::size_t kLongestName = 255;  ///< with its final zero
inline constexpr std::size_t kLongestLabel = 63;
inline constexpr std::size_t kMostLabels = 127;

/// 'A' to 'Z' as small letters; every other byte as it is.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
/// Of every byte.
std::string lower(std::string_view text);
/// Whether two texts, or two names, differ in case at most.
bool equal_in_any_case(std::string_view one, std::string_view other);

class Name {
 public:
  /// The root.
  Name() : wire_(1, '\0') {}
  /// "kubernetes.default.svc", with or without a final dot; "." is the root. A byte may be written
  /// as "\046" and a dot inside of a label as "\." (RFC 1035, section 5.1).
  static std::optional<Name> parse(std::string_view text);
  /// From exactly the bytes of one name, without pointers.
  static std::optional<Name> from_wire(std::string_view bytes);

  /// With the final zero.
  std::string_view wire() const { return wire_; }
  /// With its final dot, and a backslash where parse() needs one.
  std::string to_string() const;
  bool is_root() const { return wire_.size() == 1; }
  /// In order, without their lengths.
  std::vector<std::string_view> labels() const;
  /// In small letters.
  Name lowered() const;
  /// The name itself, or one below it.
  bool contains(const Name& other) const;
  /// LABEL.this; nothing when the label is empty or something becomes too long.
  std::optional<Name> child(std::string_view label) const;
  /// this.ZONE; nothing when that is too long.
  std::optional<Name> in(const Name& zone) const;

  /// Of the names in small letters.
  bool operator==(const Name& other) const { return equal_in_any_case(wire_, other.wire_); }

 private:
  explicit Name(std::string wire) : wire_(std::move(wire)) {}
  std::string wire_;
};

/// The size of the name without pointers at the front of `bytes`; 0 when there is none.
std::size_t plain_name_size(std::string_view bytes);

/// Where a message's name ended, and its labels.
struct ExpandedName {
  std::array<char, kLongestName> bytes;
  std::size_t size = 0;
  std::size_t end = 0;  ///< of the name where it began: what follows it stands here
  std::string_view wire() const { return {bytes.data(), size}; }
};
/// Reads the name at `at`, following pointers. A pointer must lead to before the labels that it
/// ends, so there is no loop. False when there is no name.
bool expand_name(std::string_view message, std::size_t at, ExpandedName& name);

/// "4.3.2.1.in-addr.arpa", or 32 nibbles below ip6.arpa (RFC 3596, section 2.5).
Name reverse_name(const IpAddress& address);
/// The address whose reverse name it is, given in small letters; nothing for any other name.
std::optional<IpAddress> address_of_reverse_name(std::string_view wire);
/// The zones that together hold the reverse names of a network: of 10.8.0.0/13 those of 8.10 to
/// 15.10.in-addr.arpa.
std::vector<Name> reverse_zones(const Prefix& network);

}  // namespace weft::dns
