// weft dns: names as a pod of a lab has them.
#include <cstdio>
#include <memory>
#include <string>

#include "cmd/dns_output.h"
#include "cmd/usage.h"
#include "lab/cluster_dns.h"
#include "lab/names.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft dns resolv-conf --pod redisjq --name redis\n"
    "  weft dns explain redisjq www.example.com --name redis\n"
    "  weft dns resolv-conf --pod node1-pod1 -o json | jq -r .file\n";

struct Options {
  std::string lab = lab::kDefaultLab;
  std::string pod;
  OutputFormat output;
};

ExitCode print_resolv_conf_of(const Options& options) {
  const auto found = find_pod_with_dns(options.lab, options.pod);
  if (!found) return fail_with(ExitCode::kUsage, found.error());
  const PodResolvConf made = lab::resolv_conf_of(found->lab, found->pod);
  const std::string text =
      options.output.json() ? resolv_conf_json(made).dump(2) + "\n" : resolv_conf_text(made);
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
  add_dns_explain_command(*command, code);
}

}  // namespace weft::cmd
