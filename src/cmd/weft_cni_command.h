// weft_cni_command.h: weft-cni as a person or an init container calls it.
#pragma once

#include <string>
#include <vector>

#include "base/exit_code.h"
#include "cni/plugin.h"

namespace weft::cmd {

/// What is printed, and how the program ends.
struct CommandAnswer {
  ExitCode code = ExitCode::kFine;
  std::string output = {};
  std::string errors = {};
};

/// `words` are those behind the program's name.
CommandAnswer weft_cni_command(const std::vector<std::string>& words, cni::Plugins plugins);

}  // namespace weft::cmd
