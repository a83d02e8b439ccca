// lookup_name.h: the name of a query, made ready for looking it up.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dns/bytes.h"
#include "dns/name.h"

namespace weft::dns {

/// In small letters, with the places of its labels. Lives on the stack and allocates nothing.
class LookupName {
 public:
  /// REQUIRES a name without pointers, whole.
  explicit LookupName(std::string_view wire) : size_(wire.size()) {
    for (std::size_t i = 0; i < size_; ++i) bytes_[i] = lower(wire[i]);
    for (std::size_t at = 0; wire[at] != 0; at += 1U + byte_at(wire, at))
      starts_[labels_++] = static_cast<std::uint8_t>(at);
    starts_[labels_] = static_cast<std::uint8_t>(size_ - 1);
  }

  std::string_view wire() const { return {bytes_.data(), size_}; }
  std::size_t labels() const { return labels_; }
  /// The bytes of the labels [first, last), each behind its length. REQUIRES last <= labels().
  std::string_view between(std::size_t first, std::size_t last) const {
    return wire().substr(starts_[first], std::size_t{starts_[last]} - starts_[first]);
  }
  /// One label, without its length.
  std::string_view label(std::size_t index) const { return between(index, index + 1).substr(1); }
  /// The name from a label on.
  std::string_view from(std::size_t first) const { return wire().substr(starts_[first]); }

  /// How many labels stand in front of `zone`, whose wire form is given in small letters; nothing
  /// for a name outside of it.
  std::optional<std::size_t> labels_above(std::string_view zone) const {
    if (!wire().ends_with(zone)) return std::nullopt;
    const std::size_t start = size_ - zone.size();
    for (std::size_t i = labels_ + 1; i-- > 0 && starts_[i] >= start;)
      if (starts_[i] == start) return i;
    return std::nullopt;
  }

 private:
  std::size_t size_;
  std::size_t labels_ = 0;
  std::array<char, kLongestName> bytes_;
  std::array<std::uint8_t, kMostLabels + 1> starts_;
};

/// Whether the name is one of the zones, or below one. They are given in small letters.
inline bool is_below(const LookupName& name, const std::vector<Name>& zones) {
  return std::any_of(zones.begin(), zones.end(),
                     [&](const Name& zone) { return name.labels_above(zone.wire()).has_value(); });
}

}  // namespace weft::dns
