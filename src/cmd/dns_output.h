// dns_output.h: how `weft dns` finds a pod's resolv.conf and prints it.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cluster/resolv_conf.h"
#include "lab/model.h"

namespace weft::cmd {

struct PodOfLab {
  lab::Lab lab = {};
  lab::Pod pod = {};
};

/// Fails where there is no such lab, none with DNS, or no such pod in it.
Result<PodOfLab> find_pod_with_dns(const std::string& lab, const std::string& pod);

/// {"file", "lines": [{"text", "reason"}], "warnings"}
Json resolv_conf_json(const PodResolvConf& made);
/// A line each, with its reason, and the warnings behind them.
std::string resolv_conf_text(const PodResolvConf& made);

}  // namespace weft::cmd
