// install.h: putting weft-cni in place on a node, as an init container does it.
//
// Every file appears by rename, complete: a runtime that calls a plugin meanwhile runs the old
// program or the new one. Programs of the same names are replaced, whoever put them there, all
// others are kept. The list of plugins comes last, and only when it can be used: a runtime takes a
// node for ready as soon as it finds one.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/marks.h"
#include "base/result.h"
#include "cni/plugin.h"

namespace weft::cni {

struct InstallOptions {
  std::string bin_dir = "/opt/cni/bin";
  std::string conf_dir = {};  ///< empty: no list is written
  std::string conf_name = "10-flannel.conflist";
  std::string list_file = {};  ///< the list to write; empty: flannel's usual one
  bool ordinary = false;       ///< the list as it is, not as one `weft-chain`
  std::chrono::seconds wait{0};
};

/// One line for a person.
struct InstallStep {
  Mark mark = Mark::kFine;
  std::string text = {};
};

/// Copies the running program to `bin_dir`, makes a link for each plugin, and writes the list.
/// Goes on after a failure, except that without all plugins no list is written. Where the agent
/// has no subnet yet it is waited for; a list that still cannot be used is not written, which is a
/// step with Mark::kWrong.
std::vector<InstallStep> install(const InstallOptions& options, Plugins plugins);

/// The list to write, as text: that of `list_file` or the usual one, as a chain unless `ordinary`.
Result<std::string> list_to_install(const InstallOptions& options, Plugins plugins);

}  // namespace weft::cni
