// lab_output.h: how `weft lab` prints what it found.
#pragma once

#include <string>
#include <vector>

#include "base/exit_code.h"
#include "lab/view.h"

namespace weft::cmd {

void print_labs(const std::vector<std::string>& labs, bool json);

/// kWrong when an agent or a pod's program is not running, in either format.
ExitCode print_status(const lab::LabView& view, bool json);

}  // namespace weft::cmd
