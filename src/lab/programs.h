// programs.h: the programs that a lab runs, found beside the one that is running.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::lab {

struct Programs {
  std::string weft = {};   ///< this program: the pods' responder
  std::string weftd = {};  ///< the agent
  std::string cni = {};    ///< weft-cni: every CNI plugin
};

/// In the folder of the running program, or in the one that WEFT_BIN_DIR names. Fails when one
/// is missing.
Result<Programs> find_programs();

}  // namespace weft::lab
