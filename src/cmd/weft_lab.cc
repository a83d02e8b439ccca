// weft lab: a cluster of network namespaces on one machine.
#include <unistd.h>

#include <csignal>
#include <memory>

#include "base/files.h"
#include "base/progress.h"
#include "cmd/lab_output.h"
#include "cmd/usage.h"
#include "lab/graph.h"
#include "lab/lab_file.h"
#include "lab/lifecycle.h"
#include "lab/manifest.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "lab/observe.h"
#include "lab/planner.h"
#include "lab/state.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft lab up                              3 nodes, 2 pods each, vxlan\n"
    "  weft lab up examples/labs/s4-kuard.yaml --name kuard\n"
    "  weft lab status -o json\n"
    "  weft lab exec node1-pod1 -- curl -s 10.244.1.2:8080\n"
    "  weft lab add-node && weft lab remove-node node4\n"
    "  weft lab agent stop node2\n"
    "  weft lab down\n";

// What the subcommands are given; each uses its part.
struct Options {
  std::string lab = lab::kDefaultLab;
  std::string file;
  std::string member;
  std::string node;
  std::string subnet;
  std::string action;
  std::string graph_format = "text";
  std::vector<std::string> addresses;
  std::vector<std::string> gateways;
  std::optional<unsigned> pods;
  bool keep = false;
  OutputFormat output;
};
using Shared = std::shared_ptr<Options>;
using Program = std::vector<std::string>;

Progress standard_progress() {
  return Progress(stdout, line_style(STDOUT_FILENO));
}

ExitCode finish(const Status& status) {
  return status ? ExitCode::kFine : fail_with(ExitCode::kWrong, status.error());
}

// The folder of a path, with its slash: manifests are named relative to the lab's file.
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

Result<lab::Lab> read_lab(const Options& options) {
  lab::LabFile file;
  lab::Manifests manifests;
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, read_file(options.file));
    ASSIGN_OR_RETURN(file, lab::parse_lab_file(text, options.file));
  }
  for (const auto& name : file.manifests) {
    const std::string path = name.front() == '/' ? name : folder_of(options.file) + name;
    ASSIGN_OR_RETURN(const std::string text, read_file(path));
    ASSIGN_OR_RETURN(const auto found, lab::parse_manifests(text, path));
    manifests.append(found);
  }
  return lab::plan_lab(options.lab, file, manifests);
}

ExitCode up(const Options& options) {
  if (const auto status = lab::check_machine(); !status)
    return fail_with(ExitCode::kUsage, status.error());
  const auto wanted = read_lab(options);
  if (!wanted) return fail_with(ExitCode::kUsage, wanted.error());
  if (lab::lab_exists(wanted->name))
    return fail_with(ExitCode::kUsage,
                     {.what = "lab \"" + wanted->name + "\" is there already",
                      .next = "take it down with: weft lab down --name " + wanted->name +
                              ", or choose another name with --name"});
  Progress progress = standard_progress();
  return finish(progress.step("lab " + wanted->name, [&]() -> Result<std::string> {
    RETURN_IF_ERROR(lab::bring_up(*wanted, options.keep, progress));
    return "ready";
  }));
}

ExitCode down(const Options& options) {
  if (const auto status = lab::check_machine(); !status)
    return fail_with(ExitCode::kUsage, status.error());
  if (const auto status = lab::check_lab_name(options.lab); !status)
    return fail_with(ExitCode::kUsage, status.error());
  Progress progress = standard_progress();
  const auto removed = lab::take_down(options.lab, progress);
  if (!removed) return fail_with(ExitCode::kWrong, removed.error());
  if (!*removed) progress.line(Mark::kNothing, "lab " + options.lab + ": there is none");
  return ExitCode::kFine;
}

ExitCode list(const Options& options) {
  const auto labs = lab::list_labs();
  if (!labs) return fail_with(ExitCode::kWrong, labs.error());
  print_labs(*labs, options.output.json());
  return ExitCode::kFine;
}

// Calls `work` with the lab as it was planned, when it is there and we may look.
template <class Work>
ExitCode with_lab(const Options& options, Work work) {
  if (const auto status = lab::check_machine(); !status)
    return fail_with(ExitCode::kUsage, status.error());
  const auto found = lab::load_lab(options.lab);
  if (!found) return fail_with(ExitCode::kUsage, found.error());
  return work(*found);
}

ExitCode status(const Options& options) {
  return with_lab(options, [&](const lab::Lab& found) {
    const auto view = lab::observe(found);
    if (!view) return fail_with(ExitCode::kWrong, view.error());
    return print_status(*view, options.output.json());
  });
}

ExitCode graph(const Options& options) {
  return with_lab(options, [&](const lab::Lab& found) {
    const auto view = lab::observe(found);
    if (!view) return fail_with(ExitCode::kWrong, view.error());
    const std::string drawn =
        options.graph_format == "svg" ? lab::draw_svg(*view) : lab::draw_text(*view);
    std::fputs(drawn.c_str(), stdout);
    return ExitCode::kFine;
  });
}

// Becomes the program; returns only when that failed.
Error become(const lab::Lab& found, const std::string& member, std::vector<std::string> words) {
  const bool is_node = found.node(member) != nullptr;
  const Status entered =
      is_node ? lab::enter_node(found.name, member) : lab::enter_netns(found.name, member);
  if (!entered) return entered.error();
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv[0], argv.data());
  return fail_errno("starting " + words.front()).value();
}

ExitCode exec(const Options& options, const std::vector<std::string>& words) {
  return with_lab(options, [&](const lab::Lab& found) {
    const std::string& member = options.member;
    const bool known = found.node(member) != nullptr || found.pod(member) != nullptr ||
                       member == lab::kRouter || member == lab::kOutside ||
                       member == lab::kUnderlay;
    if (!known) return fail_with(ExitCode::kUsage, lab::unknown_member(found, member).value());
    if (words.empty())
      return fail_with(ExitCode::kUsage,
                       {.what = "no program to run in " + member,
                        .next = "for instance: weft lab exec " + member + " -- ip address"});
    return fail_with(ExitCode::kWrong, become(found, member, words));
  });
}

ExitCode add_node(const Options& options) {
  return with_lab(options, [&](const lab::Lab& found) {
    lab::Node wanted;
    const std::optional<std::string> subnet =
        options.subnet.empty() ? std::nullopt : std::optional(options.subnet);
    // A name is checked when it is known; "node" stands in for one that is yet to be chosen.
    auto node = lab::parse_node(options.member.empty() ? "node" : options.member, options.addresses,
                                options.gateways, subnet);
    if (!node) return fail_with(ExitCode::kUsage, node.error());
    node->name = options.member;
    if (const auto planned = lab::with_node(found, *node, 0); !planned)
      return fail_with(ExitCode::kUsage, planned.error());
    Progress progress = standard_progress();
    return finish(lab::add_node(found.name, *node, options.pods, progress));
  });
}

ExitCode remove_node(const Options& options) {
  return with_lab(options, [&](const lab::Lab& found) {
    if (const auto rest = lab::without_node(found, options.member); !rest)
      return fail_with(ExitCode::kUsage, rest.error());
    Progress progress = standard_progress();
    return finish(lab::remove_node(found.name, options.member, progress));
  });
}

ExitCode add_pod(const Options& options, const std::vector<std::string>& command) {
  return with_lab(options, [&](const lab::Lab& found) {
    const lab::Pod wanted{.name = options.member, .node = options.node, .command = command};
    if (const auto planned = lab::with_pod(found, wanted); !planned)
      return fail_with(ExitCode::kUsage, planned.error());
    Progress progress = standard_progress();
    return finish(lab::add_pod(found.name, wanted, progress));
  });
}

ExitCode remove_pod(const Options& options) {
  return with_lab(options, [&](const lab::Lab& found) {
    if (const auto rest = lab::without_pod(found, options.member); !rest)
      return fail_with(ExitCode::kUsage, rest.error());
    Progress progress = standard_progress();
    return finish(lab::remove_pod_of(found.name, options.member, progress));
  });
}

// `work` is lab::command_agent or lab::command_proxy.
template <class Work>
ExitCode command_program(const Options& options, Work work) {
  return with_lab(options, [&](const lab::Lab& found) {
    if (found.node(options.member) == nullptr)
      return fail_with(ExitCode::kUsage, lab::unknown_member(found, options.member).value());
    const auto command = options.action == "start"  ? lab::ProgramCommand::kStart
                         : options.action == "stop" ? lab::ProgramCommand::kStop
                                                    : lab::ProgramCommand::kRestart;
    Progress progress = standard_progress();
    return finish(work(found.name, options.member, command, progress));
  });
}

// One subcommand of `weft lab` with the option that all of them have.
CLI::App* add_command(CLI::App& parent, const char* name, const char* example,
                      const char* description, const Shared& options) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(std::string("  weft lab ") + name + example + "\n");
  command->add_option("--name", options->lab, "the lab's name")->capture_default_str();
  return command;
}

void add_looking(CLI::App& parent, const Shared& options, const Program& program, ExitCode& code) {
  CLI::App* command = add_command(parent, "list", " -o json", "the labs of this machine", options);
  add_output_option(*command, options->output);
  command->callback([options, &code] { code = list(*options); });

  command = add_command(parent, "status", " -o json", "nodes and pods, as they are", options);
  add_output_option(*command, options->output);
  command->callback([options, &code] { code = status(*options); });

  command = add_command(parent, "graph", " -o svg > lab.svg",
                        "draw nodes, pods, subnets and tunnels", options);
  command->add_option("-o,--output", options->graph_format, "text or svg")
      ->check(CLI::IsMember({"text", "svg"}))
      ->capture_default_str();
  command->callback([options, &code] { code = graph(*options); });

  command = add_command(parent, "exec", " node1 -- ip route",
                        "run a program in a node or pod: NAME [--] CMD...", options);
  command->add_option("NAME", options->member, "a node or pod")->required();
  command->callback([options, &program, &code] { code = exec(*options, program); });
}

template <class Work>
void add_program(CLI::App& parent, const char* name, const char* description, const Shared& options,
                 ExitCode& code, Work work) {
  CLI::App* command = add_command(parent, name, " stop node2", description, options);
  command->add_option("ACTION", options->action, "start, stop or restart")
      ->required()
      ->check(CLI::IsMember({"start", "stop", "restart"}));
  command->add_option("NODE", options->member)->required();
  command->callback([options, &code, work] { code = command_program(*options, work); });
}

void add_nodes(CLI::App& parent, const Shared& options, ExitCode& code) {
  CLI::App* command = add_command(parent, "add-node", " node4 --pods 1", "one node more", options);
  command->add_option("NODE", options->member, "its name; the next nodeN by default");
  command->add_option("--address", options->addresses, "ADDRESS/LENGTH of its eth0");
  command->add_option("--gateway", options->gateways, "its default gateway");
  command->add_option("--subnet", options->subnet, "the pod subnet it shall get");
  command->add_option("--pods", options->pods, "pods on it; as on the others by default");
  command->callback([options, &code] { code = add_node(*options); });

  command = add_command(parent, "remove-node", " node3", "one node less, with its pods and lease",
                        options);
  command->add_option("NODE", options->member)->required();
  command->callback([options, &code] { code = remove_node(*options); });

  add_program(parent, "agent", "start, stop or restart a node's agent", options, code,
              lab::command_agent);
  add_program(parent, "proxy", "start, stop or restart a node's kube-proxy", options, code,
              lab::command_proxy);
}

void add_pods(CLI::App& parent, const Shared& options, const Program& program, ExitCode& code) {
  CLI::App* command =
      add_command(parent, "add-pod", " web --node node2 -- python3 -m http.server 8080",
                  "one pod more: [NAME] [--node NODE] [-- CMD...]", options);
  command->add_option("POD", options->member, "its name; NODE-podN by default");
  command->add_option("--node", options->node, "where; the node with the fewest by default");
  command->callback([options, &program, &code] { code = add_pod(*options, program); });

  command = add_command(parent, "remove-pod", " web", "one pod less", options);
  command->add_option("POD", options->member)->required();
  command->callback([options, &code] { code = remove_pod(*options); });
}

}  // namespace

void add_lab_commands(CLI::App& app, const Program& program, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* parent = app.add_subcommand("lab", "a cluster of network namespaces on this machine");
  parent->footer(kExamples);
  parent->require_subcommand(1);
  CLI::App* command = add_command(*parent, "up", " examples/labs/s4-kuard.yaml --name kuard",
                                  "bring a lab up", options);
  command->add_option("FILE", options->file, "the lab file; 3 nodes with 2 pods each without");
  command->add_flag("--keep", options->keep, "leave a lab that failed to come up, for a look");
  command->callback([options, &code] { code = up(*options); });
  command = add_command(*parent, "down", " --name kuard",
                        "take a lab down, whatever state it is in", options);
  command->callback([options, &code] { code = down(*options); });
  add_looking(*parent, options, program, code);
  add_nodes(*parent, options, code);
  add_pods(*parent, options, program, code);
}

}  // namespace weft::cmd
