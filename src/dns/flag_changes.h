// flag_changes.h: flags of an answer that somebody wants otherwise: the plugin `header`.
#pragma once

#include <optional>

#include "dns/header.h"

namespace weft::dns {

struct FlagChanges {
  std::optional<bool> authoritative = {};
  std::optional<bool> recursion_available = {};
  std::optional<bool> recursion_desired = {};

  void apply(Header& header) const {
    header.authoritative = authoritative.value_or(header.authoritative);
    header.recursion_available = recursion_available.value_or(header.recursion_available);
    header.recursion_desired = recursion_desired.value_or(header.recursion_desired);
  }
  bool operator==(const FlagChanges&) const = default;
};

}  // namespace weft::dns
