// exit_code.h: what a weft program's exit code means, in every output format.
#pragma once

namespace weft {

enum class ExitCode : int {
  kFine = 0,
  kWrong = 1,     ///< something is wrong
  kUsage = 2,     ///< nothing could be checked, or wrong usage
  kWarnings = 3,  ///< warnings only
};

}  // namespace weft
