#include "cni/plugins/agent_status.h"

#include <signal.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>

#include "base/files.h"
#include "base/json.h"
#include "cluster/subnet_env.h"

namespace weft::cni {
namespace {

constexpr std::size_t kLongest = 64U << 10U;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool is_alive(std::int64_t pid) {
  return pid > 0 && pid <= INT32_MAX && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

std::string age(std::int64_t since) {
  const std::int64_t seconds = static_cast<std::int64_t>(std::time(nullptr)) - since;
  return since > 0 && seconds >= 0 ? " for " + std::to_string(seconds) + " s" : "";
}

std::string in_words(const std::string& state) {
  if (state == "waiting-for-lease") return "the agent waits for a subnet lease";
  if (state == "store-unreachable") return "the agent cannot reach the store of the leases";
  if (state == "error") return "the agent failed";
  if (state == "ready") return "the agent says that it is ready, but the file is not there";
  return "the agent is in the state \"" + state + "\"";
}

}  // namespace

std::string why_not_ready(const std::string& subnet_file) {
  const std::string folder = folder_of(subnet_file);
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0)
    return "the agent has never run on this node: there is no " + folder;
  const std::string file = beside_subnet_file(subnet_file, "status.json");
  const auto text = read_file(file, kLongest);
  if (!text) return "the agent has written no lease: it is not running, or has not got one yet";
  const auto json = parse_json(*text);
  std::string state;
  std::string reason;
  std::int64_t since = 0;
  std::int64_t pid = 0;
  if (!json || !json->is_object()) return file + " of the agent cannot be read";
  ObjectReader reader(*json, "status.json");
  reader.read("state", state);
  reader.read("reason", reason);
  reader.read("since", since);
  reader.read("pid", pid);
  if (!reader.finish() || state.empty()) return file + " of the agent cannot be read";
  std::string text_out = in_words(state) + age(since) + (reason.empty() ? "" : ": " + reason);
  if (pid > 0 && !is_alive(pid))
    text_out = "the agent is not running (last seen as process " + std::to_string(pid) + "; then " +
               text_out + ")";
  return text_out;
}

}  // namespace weft::cni
