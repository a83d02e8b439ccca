#include "kernel/iptables.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/iptables_save.h"

namespace weft::kernel {
namespace {

// As long as kube-proxy waits for others to let go of the lock.
constexpr const char* kWait = "--wait=5";

Failure missing(const std::string& program) {
  Failure failure = fail("iptables is not usable: there is no program " + program + " in PATH",
                         "install iptables, or use nftables instead");
  failure.value().number = ENOENT;
  return failure;
}

// A program that cannot be started is most often not installed.
Failure not_runnable(const std::string& program, const Error& error) {
  return error.number == ENOENT ? missing(program) : because("iptables is not usable", error);
}

Result<std::string> run_program(std::vector<std::string> argv, const std::string& input = {}) {
  const std::string program = argv[0];
  auto outcome = run({.argv = std::move(argv), .input = input});
  if (!outcome) return not_runnable(program, outcome.error());
  if (outcome->exit_code != 0)
    return fail(program + " refused: " + std::string(trim(outcome->errors)));
  return std::move(outcome->output);
}

}  // namespace

Result<IptablesVersion> IptablesVersion::parse(std::string_view text) {
  const auto words = split(trim(text), ' ');
  IptablesVersion version;
  if (words.size() < 2 || words[1].size() < 2 || words[1][0] != 'v')
    return fail("\"" + std::string(trim(text)) + "\" names no iptables version");
  const auto numbers = split(std::string_view(words[1]).substr(1), '.');
  for (std::size_t i = 0; i < version.number.size() && i < numbers.size(); ++i) {
    const auto number = parse_number(numbers[i]);
    if (!number || *number > 1'000'000) return fail("\"" + words[1] + "\" is no iptables version");
    version.number[i] = static_cast<unsigned>(*number);
  }
  if (words.size() > 2 && words[2] == "(nf_tables)") version.variant = Variant::kNft;
  return version;
}

Result<Iptables> Iptables::find(Family family, std::string_view flavour) {
  Iptables iptables;
  iptables.name_ = family == Family::kIpv4 ? "iptables" : "ip6tables";
  if (!flavour.empty()) iptables.name_ += "-" + std::string(flavour);
  ASSIGN_OR_RETURN(const std::string version, run_program({iptables.name_, "--version"}));
  ASSIGN_OR_RETURN(iptables.version_, IptablesVersion::parse(version));
  for (const char* part : {"-save", "-restore"})
    if (!is_runnable(iptables.name_ + part)) return missing(iptables.name_ + part);
  return iptables;
}

Result<IptablesTable> Iptables::read(const std::string& table) const {
  const std::string tried = "reading " + name_ + " table " + table;
  const auto output = run_program({name_ + "-save", "-t", table});
  if (!output) return because(tried, output.error());
  auto tables = parse_iptables_save(*output);
  if (!tables) return because(tried, tables.error());
  const auto found = tables->find(table);
  return found == tables->end() ? IptablesTable{} : std::move(found->second);
}

Status Iptables::restore(const std::string& script) const {
  std::vector<std::string> argv{name_ + "-restore", "--noflush"};
  if (version_.has_restore_wait()) argv.emplace_back(kWait);
  RETURN_IF_ERROR(run_program(std::move(argv), script));
  return {};
}

bool iptables_is_installed() {
  const char* path = std::getenv("PATH");
  const auto folders = split(path == nullptr ? "" : path, ':');
  return std::any_of(folders.begin(), folders.end(), [](const std::string& folder) {
    return ::access((folder + "/iptables").c_str(), X_OK) == 0;
  });
}

bool legacy_iptables_in_use(Family family) {
  const auto names = read_file(std::string("/proc/thread-self/net/") +
                               (family == Family::kIpv4 ? "ip" : "ip6") + "_tables_names");
  // No such file: the kernel does not have it loaded.
  if (!names) return false;
  const auto tables = split(*names, '\n');
  return std::any_of(tables.begin(), tables.end(),
                     [](const std::string& name) { return name == "filter" || name == "nat"; });
}

}  // namespace weft::kernel
