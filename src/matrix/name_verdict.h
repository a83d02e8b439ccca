// name_verdict.h: whether what a pod was told of a name is what the name stands for. Pure.
#pragma once

#include "matrix/model.h"

namespace weft::matrix {

/// Of a pair that asks for a name.
Verdict judge_name(const Pair& pair, const Place& name, const ProbeResult& result);

}  // namespace weft::matrix
