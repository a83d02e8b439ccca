// ranges.h: several networks together.
#pragma once

#include <vector>

#include "net/address.h"

namespace weft {

/// Leaves of ranges in any order those that are in no other one, each once and in order: sets of
/// the kernel's take none within another.
void drop_nested(std::vector<Prefix>& ranges);

}  // namespace weft
