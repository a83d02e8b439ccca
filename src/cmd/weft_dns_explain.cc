// weft dns explain: a name looked up in a pod as its resolver does it, and why it ends as it ends.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/marks.h"
#include "cmd/dns_output.h"
#include "cmd/usage.h"
#include "lab/cluster_dns.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "matrix/dns_client.h"
#include "matrix/look_up.h"
#include "matrix/look_up_table.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft dns explain redisjq redis --name redis\n"
    "  weft dns explain redisjq www.example.com --name redis\n"
    "  weft dns explain node1-pod1 web.shop -o json | jq -r .verdict.next\n";

struct Options {
  std::string lab = lab::kDefaultLab;
  std::string pod;
  std::string name;
  unsigned timeout_ms = 5000;  // as resolvers have it; the server itself gives up before
  OutputFormat output;
};

// Why the cluster's DNS has nobody to ask: what is amiss in its own pods' resolv.conf.
std::vector<std::string> notes_on_servers(const lab::Lab& lab) {
  std::vector<std::string> notes;
  for (const lab::Pod& pod : lab.pods)
    if (lab::is_dns_server(pod))
      for (const std::string& warning : lab::resolv_conf_of(lab, pod).warnings)
        notes.push_back("the DNS server " + pod.name + " on " + pod.node + ": " + warning);
  return notes;
}

struct Explanation {
  PodResolvConf resolv_conf = {};
  matrix::LookUp looked_up = {};
  matrix::LookUpVerdict verdict = {};
  std::vector<std::string> notes = {};
};

std::string to_text(const Options& options, const Explanation& found, const LineStyle& style) {
  std::string text = "resolv.conf of " + options.pod + "\n";
  std::string lines = resolv_conf_text(found.resolv_conf);
  for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) lines.insert(at, "  ");
  text += lines + "\nlook-up of " + options.name + "\n";
  text += matrix::to_table(found.looked_up, style) + "\n";
  text += style.mark(found.verdict.mark) + " " + found.verdict.sentence + "\n";
  for (const std::string& note : found.notes) text += "  why: " + note + "\n";
  if (!found.verdict.next.empty()) text += "  next: " + found.verdict.next + "\n";
  return text;
}

Json to_json(const Explanation& found) {
  return {{"resolv_conf", resolv_conf_json(found.resolv_conf)},
          {"look_up", matrix::to_json(found.looked_up)},
          {"verdict",
           {{"ok", found.verdict.mark != Mark::kWrong},
            {"sentence", found.verdict.sentence},
            {"notes", found.notes},
            {"next", found.verdict.next}}}};
}

Result<Explanation> explain(const Options& options) {
  ASSIGN_OR_RETURN(const PodOfLab found, find_pod_with_dns(options.lab, options.pod));
  Explanation result{.resolv_conf = lab::resolv_conf_of(found.lab, found.pod)};
  const std::chrono::milliseconds timeout(options.timeout_ms);
  const auto ask = [&](const std::string& name, const IpAddress& server) {
    return matrix::ask_server(name, server, timeout);
  };
  RETURN_IF_ERROR(lab::in_netns(options.lab, options.pod, [&]() -> Status {
    result.looked_up = matrix::look_up(result.resolv_conf.file, options.name, ask);
    return {};
  }));
  result.verdict = matrix::judge(result.looked_up);
  if (result.verdict.lacks_upstream) result.notes = notes_on_servers(found.lab);
  return result;
}

ExitCode run(const Options& options) {
  const auto found = explain(options);
  if (!found) return fail_with(ExitCode::kUsage, found.error());
  const std::string text = options.output.json()
                               ? to_json(*found).dump(2) + "\n"
                               : to_text(options, *found, line_style(STDOUT_FILENO));
  std::fputs(text.c_str(), stdout);
  return exit_code_of(found->verdict.mark);
}

}  // namespace

void add_dns_explain_command(CLI::App& dns, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      dns.add_subcommand("explain", "look a name up as a pod's resolver does, and say why");
  command->footer(kExamples);
  command->add_option("pod", options->pod, "the pod's name")->required();
  command->add_option("hostname", options->name, "the name that is looked up")->required();
  command->add_option("--name", options->lab, "the lab's name")->capture_default_str();
  command->add_option("--timeout", options->timeout_ms, "of one question, in milliseconds")
      ->check(CLI::Range(1U, 60'000U))
      ->capture_default_str();
  add_output_option(*command, options->output);
  command->callback([options, &code] { code = run(*options); });
}

}  // namespace weft::cmd
