#include "net/ranges.h"

#include <algorithm>
#include <utility>

namespace weft {

void drop_nested(std::vector<Prefix>& ranges) {
  // A range is in order in front of all that are within it.
  std::sort(ranges.begin(), ranges.end());
  std::vector<Prefix> outer;
  for (const Prefix& range : ranges)
    if (outer.empty() || !outer.back().contains(range)) outer.push_back(range);
  ranges = std::move(outer);
}

}  // namespace weft
