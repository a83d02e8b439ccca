// run.h: probes everything, judges it, and looks for the place where lost packets end.
#pragma once

#include <vector>

#include "base/result.h"
#include "matrix/model.h"
#include "matrix/probe.h"

namespace weft::matrix {

/// Probes every pair from inside the places' network namespaces, at most 16 places at once. A
/// place that cannot be entered fails all of its pairs, with the reason.
Report run_matrix(std::vector<Place> places, const ProbeOptions& options);

}  // namespace weft::matrix
