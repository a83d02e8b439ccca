// weft-cni: every CNI plugin in one static file.
//
// Theory of operation. The runtime starts the file once for every call, under the name of a
// plugin (a link in /opt/cni/bin), with CNI_* variables and a configuration on standard input.
// The name picks the plugin; cni/dispatch.h checks the call and runs the plugin's handler,
// which talks to the kernel and answers; one JSON object goes to standard output. Nothing stays
// in memory between calls: the kernel, host-local's files and flannel's records are the state.
// A plugin that delegates to another one of this file calls it directly (cni/delegate.h).
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_code.h"
#include "cmd/weft_cni_command.h"
#include "cni/dispatch.h"
#include "cni/plugins/all.h"
#include "cni/plugins/dhcp_daemon.h"
#include "kernel/late_close.h"

namespace weft::cni {
namespace {

constexpr std::size_t kLongestInput = 16U << 20U;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> read_input() {
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kLongestInput) return fail("the configuration is too long");
  }
}

int serve(const Plugin& plugin) {
  const kernel::LateClose late_close;  // of what this call removes, in however many plugins
  const Answer answer = dispatch(plugin, all_plugins(), variable, read_input);
  write_all(STDERR_FILENO, answer.errors);
  write_all(STDOUT_FILENO, answer.output);
  return answer.exit_code;
}

int called_by_hand(const std::vector<std::string>& words) {
  const auto answer = cmd::weft_cni_command(words, all_plugins());
  write_all(STDERR_FILENO, answer.errors);
  write_all(STDOUT_FILENO, answer.output);
  return static_cast<int>(answer.code);
}

// `dhcp` is a daemon too, by its own name or as `weft-cni dhcp daemon`.
int serve_dhcp(const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end() ||
      std::find(words.begin(), words.end(), "-h") != words.end()) {
    write_all(STDOUT_FILENO, dhcp_daemon_help());
    return static_cast<int>(ExitCode::kFine);
  }
  const auto options = parse_dhcp_daemon_options(words);
  const Status ended = options ? run_dhcp_daemon(*options) : Status(Failure(options.error()));
  if (ended) return static_cast<int>(ExitCode::kFine);
  write_all(STDERR_FILENO, "dhcp daemon: " + ended.error().text() + "\n");
  return static_cast<int>(options ? ExitCode::kWrong : ExitCode::kUsage);
}

// The words behind `dhcp daemon`; nothing when it is not what was called.
std::optional<std::vector<std::string>> dhcp_daemon_words(std::string_view name,
                                                          const std::vector<std::string>& words) {
  const std::size_t at = name == "dhcp" ? 0 : 1;
  if (words.size() <= at || words[at] != "daemon" || (at == 1 && words[0] != "dhcp"))
    return std::nullopt;
  return std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
}

int run(int argc, char** argv) {
  const std::string_view path = argc > 0 ? argv[0] : "";
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (const auto daemon = dhcp_daemon_words(name, words)) return serve_dhcp(*daemon);
  if (const Plugin* plugin = find_plugin(all_plugins(), name)) return serve(*plugin);
  const std::string word = words.empty() ? "" : words[0];
  if (const Plugin* plugin = find_plugin(all_plugins(), word)) return serve(*plugin);
  if (variable("CNI_COMMAND").empty()) return called_by_hand(words);
  // A runtime reads only JSON on standard output.
  write_all(STDOUT_FILENO,
            to_text(CniError(Code::kInternal, "weft-cni was started as " + in_quotes(name) +
                                                  ", and it holds no such plugin")));
  return static_cast<int>(ExitCode::kWrong);
}

}  // namespace
}  // namespace weft::cni

int main(int argc, char** argv) {
  return weft::cni::run(argc, argv);
}
