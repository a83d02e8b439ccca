// weft dns: names as a pod of a lab has them.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "cmd/usage.h"
#include "lab/cluster_dns.h"
#include "lab/names.h"
#include "lab/planner.h"
#include "lab/state.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft dns resolv-conf --pod redisjq --name redis\n"
    "  weft dns resolv-conf --pod node1-pod1 -o json | jq -r .file\n";

struct Options {
  std::string lab = lab::kDefaultLab;
  std::string pod;
  OutputFormat output;
};

Json to_json(const PodResolvConf& made) {
  Json lines = Json::array();
  for (const auto& line : made.lines)
    lines.push_back({{"text", line.text}, {"reason", line.reason}});
  return {{"file", print_resolv_conf(made.file)}, {"lines", lines}, {"warnings", made.warnings}};
}

std::string to_text(const PodResolvConf& made) {
  std::size_t width = 0;
  for (const auto& line : made.lines) width = std::max(width, line.text.size());
  std::string text;
  for (const auto& line : made.lines)
    text += line.text + std::string(width + 2 - line.text.size(), ' ') + line.reason + "\n";
  for (const auto& warning : made.warnings) text += "! " + warning + "\n";
  return text;
}

ExitCode print_resolv_conf_of(const Options& options) {
  const auto lab = lab::load_lab(options.lab);
  if (!lab) return fail_with(ExitCode::kUsage, lab.error());
  if (!lab->dns)
    return fail_with(ExitCode::kUsage, {.what = "lab \"" + options.lab + "\" has no DNS",
                                        .next = "give it one in its file: dns: {}"});
  const lab::Pod* pod = lab->pod(options.pod);
  if (pod == nullptr) {
    const Failure failure = lab::unknown_member(*lab, options.pod);
    return fail_with(ExitCode::kUsage, failure.value());
  }
  const PodResolvConf made = lab::resolv_conf_of(*lab, *pod);
  const std::string text = options.output.json() ? to_json(made).dump(2) + "\n" : to_text(made);
  std::fputs(text.c_str(), stdout);
  return made.warnings.empty() ? ExitCode::kFine : ExitCode::kWarnings;
}

}  // namespace

void add_dns_command(CLI::App& app, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("dns", "names, as a pod has them");
  command->footer(kExamples);
  command->require_subcommand(1);
  CLI::App* resolv_conf =
      command->add_subcommand("resolv-conf", "a pod's resolv.conf, and why each line is there");
  resolv_conf->add_option("--pod", options->pod, "the pod's name")->required();
  resolv_conf->add_option("--name", options->lab, "the lab's name")->capture_default_str();
  add_output_option(*resolv_conf, options->output);
  resolv_conf->callback([options, &code] { code = print_resolv_conf_of(*options); });
}

}  // namespace weft::cmd
