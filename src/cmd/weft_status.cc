// weft status: how this node's agent is: its lease, its store, its peers, what it has repaired.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/marks.h"
#include "cluster/subnet_env.h"
#include "cmd/usage.h"
#include "serve/http_ask.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft status\n"
    "  weft status -o json | jq .peers\n"
    "  weft status services\n"
    "  weft lab exec node1 weft status\n";

using Kind = Json::value_t;

struct Options {
  std::string subnet_file = "/run/flannel/subnet.env";
  OutputFormat output;
};

std::string joined(const Json& texts) {
  std::string line;
  for (const auto& text : texts)
    line += (line.empty() ? "" : ", ") + text.get_ref<const std::string&>();
  return line;
}

std::string text_of(const Json& object, const char* key) {
  return object.value(key, std::string());
}

// Whether all is there, and of the right kind, that is looked at below.
bool is_complete(const Json& status) {
  if (!status.is_object()) return false;
  const auto has = [](const Json& object, const char* key, Json::value_t kind) {
    const auto found = object.find(key);
    return found != object.end() &&
           (found->type() == kind || (found->is_number_integer() && kind == Kind::number_integer));
  };
  for (const char* key : {"version", "state", "reason", "backend", "uplink"})
    if (!has(status, key, Kind::string)) return false;
  for (const char* key : {"store", "drift_repaired"})
    if (!has(status, key, Kind::object)) return false;
  for (const char* key : {"peers", "failures"})
    if (!has(status, key, Kind::array)) return false;
  for (const auto& peer : status["peers"])
    if (!has(peer, "subnet", Kind::string) || !has(peer, "addresses", Kind::array) ||
        !has(peer, "changed_s", Kind::number_integer))
      return false;
  const auto lease = status.find("lease");
  return has(status, "for_s", Kind::number_integer) && lease != status.end() &&
         (lease->is_null() ||
          (has(*lease, "subnet", Kind::string) && lease->contains("expires_s"))) &&
         has(status["store"], "errors", Kind::number_integer);
}

Mark mark_of(const Json& status) {
  const std::string state = text_of(status, "state");
  if (state == "ready" && status["failures"].empty() && text_of(status["store"], "trouble").empty())
    return Mark::kFine;
  return state == "ready" ? Mark::kWarning : Mark::kWrong;
}

std::string repaired(const Json& kinds) {
  std::string line;
  for (const auto& [kind, count] : kinds.items())
    line += (line.empty() ? "" : ", ") + kind + " " + to_text(count);
  return line.empty() ? "nothing" : line;
}

void print_row(const char* name, const std::string& value) {
  std::printf("%-9s %s\n", name, value.c_str());
}

void print_peers(const Json& peers) {
  std::size_t widest = 0;
  std::size_t widest_address = 0;
  for (const auto& peer : peers) {
    widest = std::max(widest, text_of(peer, "subnet").size());
    widest_address = std::max(widest_address, joined(peer["addresses"]).size());
  }
  for (const auto& peer : peers)
    std::printf("  %-*s  %-*s  changed %s ago\n", static_cast<int>(widest),
                text_of(peer, "subnet").c_str(), static_cast<int>(widest_address),
                joined(peer["addresses"]).c_str(),
                age(peer["changed_s"].get<std::int64_t>()).c_str());
}

void print(const Json& status) {
  const std::string mark = line_style(STDOUT_FILENO).mark(mark_of(status));
  const std::string reason = text_of(status, "reason");
  std::printf("%s %s for %s%s\n", mark.c_str(), text_of(status, "state").c_str(),
              age(status["for_s"].get<std::int64_t>()).c_str(),
              reason.empty() ? "" : (": " + reason).c_str());
  print_row("version", text_of(status, "version"));
  print_row("backend", text_of(status, "backend") + " on " + text_of(status, "uplink"));
  const Json& lease = status["lease"];
  if (lease.is_null())
    print_row("lease", "none yet");
  else
    print_row("lease", text_of(lease, "subnet") +
                           (lease["expires_s"].is_null()
                                ? ""
                                : ", ends in " + age(lease["expires_s"].get<std::int64_t>()) +
                                      " unless renewed"));
  const Json& store = status["store"];
  const std::string trouble = text_of(store, "trouble");
  print_row("store", text_of(store, "name") +
                         (trouble.empty() ? ", in touch" : ", out of touch: " + trouble) + "; " +
                         to_text(store["errors"]) + " errors since the start");
  print_row("repaired", repaired(status["drift_repaired"]) + " since the start");
  for (const auto& failure : status["failures"]) print_row("failure", failure.get<std::string>());
  print_row("peers", std::to_string(status["peers"].size()));
  print_peers(status["peers"]);
}

ExitCode run(const Options& options) {
  const std::string socket = beside_subnet_file(options.subnet_file, "weft.sock");
  const auto answer = http_ask(socket, "/status", std::chrono::seconds(5));
  if (!answer) {
    Error error = answer.error();
    if (error.number == ENOENT || error.number == ECONNREFUSED)
      error = {.what = "no agent answers at " + socket,
               .next = "start weftd flanneld on this node, or give its --subnet-file"};
    return fail_with(ExitCode::kUsage, error);
  }
  const auto status = parse_json(answer->body);
  if (answer->status != 200 || !status || !is_complete(*status))
    return fail_with(ExitCode::kUsage,
                     {.what = "who answers at " + socket + " gives no status that is known here",
                      .next = "use the weft of the same version as the agent"});
  if (options.output.json())
    std::printf("%s\n", status->dump(2).c_str());
  else
    print(*status);
  return exit_code_of(mark_of(*status));
}

}  // namespace

void add_status_command(CLI::App& app, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("status", "how this node's agent is");
  command->footer(kExamples);
  command->add_option("--subnet-file", options->subnet_file, "the agent's subnet.env")
      ->capture_default_str();
  add_output_option(*command, options->output);
  command->require_subcommand(0, 1);
  add_status_services_command(*command, code);
  command->callback([options, command, &code] {
    if (command->get_subcommands().empty()) code = run(*options);
  });
}

}  // namespace weft::cmd
