// pairs.h: which places are probed from which, by path class. Pure.
#pragma once

#include <vector>

#include "matrix/model.h"

namespace weft::matrix {

/// Every pair of each class and every family that both ends have, class by class in the order of
/// the places. Nobody probes itself, but a pod its own service. The outside host, which is a place
/// for each of its addresses, asks services once a family. A pod asks the first of its servers for
/// each name.
std::vector<Pair> plan_pairs(const std::vector<Place>& places);

}  // namespace weft::matrix
