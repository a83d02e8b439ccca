// dispatch.h: from environment and standard input to the right handler and its answer.
//
// The order of the checks and their texts are those of containernetworking/cni pkg/skel, with
// one difference: whether the container's namespace is the plugin's own is asked before the
// handler runs and not after it, so that an ADD which is refused leaves nothing behind.
#pragma once

#include <functional>
#include <string>

#include "cni/plugin.h"

namespace weft::cni {

/// What the program prints and how it ends.
struct Answer {
  int exit_code = 0;
  std::string output = {};  ///< standard output: a result, an error, or nothing
  std::string errors = {};  ///< standard error
};

using ReadInput = std::function<Result<std::string>()>;

/// Serves one call. VERSION does not read the input.
Answer dispatch(const Plugin& plugin, Plugins siblings, const GetVariable& get,
                const ReadInput& read_input);

/// Calls the handler of a command after the version check: what dispatch() does with its own
/// plugin, and delegation with a sibling. VERSION has no handler.
CniResult<AddResult> call_add(const Plugin& plugin, const Call& call);
CniStatus call_handler(const Plugin& plugin, Command command, const Call& call);

/// A call out of the text of a configuration. Refuses what is no JSON object, and a name that
/// is missing or wrong. `environment`, `text` and `config`, which it fills, must outlive it.
CniResult<Call> read_call(const Environment& environment, std::string_view text, Json& config,
                          Plugins siblings);

/// The error object of the specification.
std::string to_text(const CniError& error);

}  // namespace weft::cni
