#include "cmd/dns_output.h"

#include <algorithm>

#include "lab/planner.h"
#include "lab/state.h"

namespace weft::cmd {

Result<PodOfLab> find_pod_with_dns(const std::string& lab, const std::string& pod) {
  ASSIGN_OR_RETURN(lab::Lab found, lab::load_lab(lab));
  if (!found.dns) return fail("lab \"" + lab + "\" has no DNS", "give it one in its file: dns: {}");
  const lab::Pod* member = found.pod(pod);
  if (member == nullptr) return lab::unknown_member(found, pod);
  lab::Pod copy = *member;
  return PodOfLab{.lab = std::move(found), .pod = std::move(copy)};
}

Json resolv_conf_json(const PodResolvConf& made) {
  Json lines = Json::array();
  for (const auto& line : made.lines)
    lines.push_back({{"text", line.text}, {"reason", line.reason}});
  return {{"file", print_resolv_conf(made.file)}, {"lines", lines}, {"warnings", made.warnings}};
}

std::string resolv_conf_text(const PodResolvConf& made) {
  std::size_t width = 0;
  for (const auto& line : made.lines) width = std::max(width, line.text.size());
  std::string text;
  for (const auto& line : made.lines)
    text += line.text + std::string(width + 2 - line.text.size(), ' ') + line.reason + "\n";
  for (const auto& warning : made.warnings) text += "! " + warning + "\n";
  return text;
}

}  // namespace weft::cmd
