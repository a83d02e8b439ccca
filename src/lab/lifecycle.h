// lifecycle.h: a lab comes up, changes and goes away.
//
// Every function takes the lab's lock for as long as it works. What a killed command leaves is
// removed by take_down(): it goes by the lab's name alone.
#pragma once

#include <optional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

/// What a lab needs of the machine: root, and network namespaces.
Status check_machine();

/// Fails at once when the lab is there already. When it fails later it takes down what it made,
/// unless `keep`: then its logs can be read.
Status bring_up(const Lab& lab, bool keep, Progress& progress);

/// True when there was something to remove. A lab that is not there is success.
Result<bool> take_down(const std::string& lab, Progress& progress);

/// An empty name: chosen. `pods` absent: as many as the lab's file says.
Status add_node(const std::string& lab, const Node& wanted, std::optional<unsigned> pods,
                Progress& progress);
Status remove_node(const std::string& name, const std::string& node, Progress& progress);
Status add_pod(const std::string& lab, const Pod& wanted, Progress& progress);
Status remove_pod_of(const std::string& name, const std::string& pod, Progress& progress);

enum class ProgramCommand { kStart, kStop, kRestart };
Status command_agent(const std::string& lab, const std::string& node, ProgramCommand command,
                     Progress& progress);
/// Fails in a lab without services: there it has no proxies.
Status command_proxy(const std::string& lab, const std::string& node, ProgramCommand command,
                     Progress& progress);

}  // namespace weft::lab
