// mode_choice.h: which mode of the proxy a word of --proxy-mode stands for: the one place that
// knows them all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/iptables_mode.h"
#include "service/proxy_mode.h"
#include "service/userspace_mode.h"

namespace weft::service {

/// The mode that a word asks for, as ProxyMode::name(). An empty word is nftables, and so is
/// "ipvs", for which this proxy has no mode of its own. An Error where there is no such mode.
Result<std::string> mode_name(const std::string& word);

/// What the modes want to know; each takes what is its.
struct ModeSettings {
  std::vector<RuleOptions> families = {};
  IptablesSettings iptables = {};
  UserspaceSettings userspace = {};
};

/// Opens a mode by its name, in the calling thread's namespace. Refuses one that the node lacks
/// something for.
Result<std::unique_ptr<ProxyMode>> open_mode(const std::string& name, const ModeSettings& settings);

}  // namespace weft::service
