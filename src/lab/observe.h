// observe.h: reads a lab as it is from the kernel and the nodes' files.
#pragma once

#include "base/result.h"
#include "lab/model.h"
#include "lab/view.h"

namespace weft::lab {

/// What cannot be read (a namespace that somebody deleted) is empty in the view.
Result<LabView> observe(const Lab& lab);

}  // namespace weft::lab
