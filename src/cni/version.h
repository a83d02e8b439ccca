// version.h: versions of the CNI specification.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <span>
#include <string_view>

namespace weft::cni {

struct SpecVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;

  /// "1", "1.0" or "1.0.0".
  static std::optional<SpecVersion> parse(std::string_view text);
  auto operator<=>(const SpecVersion&) const = default;
};

inline constexpr SpecVersion kFirstWithInterfaces{0, 3, 0};
inline constexpr SpecVersion kFirstWithCheck{0, 4, 0};
inline constexpr SpecVersion kFirstWithoutIpVersion{1, 0, 0};
inline constexpr SpecVersion kFirstWithGc{1, 1, 0};

inline constexpr std::array<std::string_view, 7> kAllVersions{"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                              "0.4.0", "1.0.0", "1.1.0"};
/// What a configuration without a version means.
inline constexpr std::string_view kDefaultVersion = "0.1.0";

using Versions = std::span<const std::string_view>;

}  // namespace weft::cni
