// weft: the operator's command.
//
// Theory of operation: one file a group of subcommands builds its part of the command line
// (usage.h); the callback of the subcommand that was given does the work and leaves its exit
// code. Exit codes: 0 fine, 1 something is wrong, 2 nothing could be checked or wrong usage,
// 3 warnings only.
#include <unistd.h>

#include <csignal>
#include <string>

#include <CLI/CLI.hpp>

#include "cmd/usage.h"
#include "lab/responder.h"

namespace {

using weft::ExitCode;

const char* const kExamples =
    "  weft lab up                        a cluster of 3 nodes with 2 pods each, on this machine\n"
    "  weft lab exec node1 ip route       run a program where a node or pod stands\n"
    "  weft matrix                        who reaches whom, and how\n"
    "  weft status                        how this node's agent is\n"
    "  weft lab graph -o svg > lab.svg    draw it\n"
    "  weft lab down                      take it away\n";

// The program of a lab's pods; not for people, so not in the help.
void add_responder(CLI::App& app, ExitCode& code) {
  struct Options {
    std::string name;
    std::string node;
    std::vector<std::uint16_t> ports;
    int ready_fd = -1;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("responder", "answers HTTP and UDP on port 8080");
  command->group("");
  command->add_option("--name", options->name)->required();
  command->add_option("--node", options->node)->required();
  command->add_option("--port", options->ports);
  command->add_option("--ready-fd", options->ready_fd);
  command->callback([options, &code] {
    const auto tell = [fd = options->ready_fd] {
      if (fd >= 0 && ::write(fd, "\n", 1) == 1) ::close(fd);
    };
    const auto status = weft::lab::respond(options->name, options->node, options->ports, tell);
    if (!status) code = weft::cmd::fail_with(ExitCode::kWrong, status.error());
  });
}

int parse_and_run(CLI::App& app, const std::vector<std::string>& words) {
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    return -1;
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help and --version
  } catch (const CLI::ParseError& error) {
    std::string reason = weft::cmd::explain_wrong_word(app, words);
    if (reason.empty()) reason = error.what();
    weft::cmd::fail_with(ExitCode::kUsage, {.what = reason, .next = "see --help"});
    return static_cast<int>(ExitCode::kUsage);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (`| head`) ends us by the write that fails, not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  ExitCode code = ExitCode::kFine;
  CLI::App app("The network of a Kubernetes cluster, and why a packet does not arrive.", "weft");
  app.footer(kExamples);
  weft::cmd::put_examples_first(app);  // before the subcommands, which inherit it
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  const auto line = weft::cmd::split_command_line(argc, argv);
  weft::cmd::add_lab_commands(app, line.program, code);
  weft::cmd::add_matrix_command(app, code);
  weft::cmd::add_dns_command(app, code);
  weft::cmd::add_status_command(app, code);
  add_responder(app, code);
  const int ended = parse_and_run(app, line.ours);
  return ended >= 0 ? ended : static_cast<int>(code);
}
