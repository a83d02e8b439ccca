#include "cni/install.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/fd.h"
#include "base/files.h"
#include "cluster/subnet_env.h"
#include "cni/plugins/agent_status.h"
#include "cni/plugins/chain_config.h"
#include "cni/plugins/flannel_config.h"

namespace weft::cni {
namespace {

using std::chrono::steady_clock;

constexpr const char* kProgram = "weft-cni";
constexpr std::size_t kLongestList = 1U << 20U;
constexpr int kIndent = 2;
// Also where a change went unnoticed: a folder that was made and filled at once.
constexpr int kLongestPause = 1000;

// What flannel's manifest installs, in a version that hands the result of ADD to DEL.
constexpr const char* kUsualList = R"({
  "name": "cbr0",
  "cniVersion": "1.0.0",
  "plugins": [
    {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
})";

InstallStep wrong(const Error& error) {
  return {.mark = Mark::kWrong, .text = error.text()};
}

InstallStep unchanged(const std::string& what) {
  return {.mark = Mark::kNothing, .text = what + " is there already"};
}

InstallStep copy_program(const std::string& folder) {
  const std::string target = folder + "/" + kProgram;
  const auto own = read_file("/proc/self/exe", std::size_t{64} << 20U);
  if (!own) return wrong(own.error());
  if (const auto there = read_file(target, own->size()); there && *there == *own)
    return unchanged(target);
  if (const auto written = write_file_atomically(target, *own, 0755); !written)
    return wrong(written.error());
  return {.text = target};
}

std::string link_target(const std::string& path) {
  char text[4096];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  return length < 0 ? "" : std::string(text, static_cast<std::size_t>(length));
}

InstallStep link_plugin(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  if (link_target(path) == kProgram) return unchanged(path);
  struct stat before {};
  const bool replaces = ::lstat(path.c_str(), &before) == 0;
  const std::string temporary = folder + "/." + name + ".tmp-" + std::to_string(::getpid());
  if (const auto gone = remove_file(temporary); !gone) return wrong(gone.error());
  if (::symlink(kProgram, temporary.c_str()) != 0)
    return wrong(fail_errno("linking " + temporary).value());
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const Failure failure = fail_errno("replacing " + path);
    (void)remove_file(temporary);
    return wrong(failure.value());
  }
  return {.text = path + (replaces ? " instead of another program's" : "")};
}

bool is_wrong(const InstallStep& step) {
  return step.mark == Mark::kWrong;
}

// The plugins of a list and the members of its chains.
std::vector<Json> plugins_of(const Json& list) {
  std::vector<Json> all;
  const Json* plugins = find_member(list, "plugins");
  if (plugins == nullptr || !plugins->is_array()) return all;
  for (const Json& plugin : *plugins) {
    all.push_back(plugin);
    for (Json& member : plugins_of(plugin)) all.push_back(std::move(member));
  }
  return all;
}

std::string missing_plugin(const Json& list, const std::string& folder) {
  for (const Json& plugin : plugins_of(list))
    if (const std::string type = type_of_member(plugin);
        ::access((folder + "/" + type).c_str(), X_OK) != 0)
      return type;
  return {};
}

// The file that the list's flannel plugin reads; nothing for a list without one.
std::optional<std::string> subnet_file_of(const Json& list) {
  for (const Json& plugin : plugins_of(list)) {
    if (type_of_member(plugin) != "flannel") continue;
    std::string file = FlannelConfig{}.subnet_file;
    ObjectReader(plugin, "flannel").read("subnetFile", file);
    return file;
  }
  return std::nullopt;
}

bool has_subnet(const std::string& file) {
  const auto text = read_file(file, kLongestList);
  return text && SubnetEnv::parse(*text);
}

std::string existing_folder_above(std::string path) {
  do {
    const auto slash = path.rfind('/');
    if (slash == 0 || slash == std::string::npos) return slash == 0 ? "/" : ".";
    path.resize(slash);
  } while (::access(path.c_str(), F_OK) != 0);
  return path;
}

bool wait_for_subnet(const std::string& file, std::chrono::seconds patience) {
  const auto deadline = steady_clock::now() + patience;
  while (!has_subnet(file)) {
    const Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    ::inotify_add_watch(watch.get(), existing_folder_above(file).c_str(),
                        IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
    if (has_subnet(file)) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd events{.fd = watch.get(), .events = POLLIN, .revents = 0};
    ::poll(&events, 1, static_cast<int>(std::min<std::int64_t>(left.count(), kLongestPause)));
  }
  return true;
}

// Runtimes that serve one network take the first list by name.
void warn_of_earlier_lists(const InstallOptions& options, std::vector<InstallStep>& steps) {
  const auto names = list_directory(options.conf_dir);
  if (!names) return;
  for (const auto& name : *names) {
    const std::string ending = name.substr(std::min(name.rfind('.'), name.size()));
    if (name >= options.conf_name ||
        (ending != ".conf" && ending != ".conflist" && ending != ".json"))
      continue;
    steps.push_back({.mark = Mark::kWarning,
                     .text = options.conf_dir + "/" + name +
                             " comes first: a runtime that takes the first list uses that one"});
  }
}

InstallStep write_list(const InstallOptions& options, const std::string& text) {
  const std::string path = options.conf_dir + "/" + options.conf_name;
  if (const auto there = read_file(path, kLongestList); there && *there == text)
    return unchanged(path);
  if (const auto made = make_directories(options.conf_dir); !made) return wrong(made.error());
  if (const auto written = write_file_atomically(path, text, 0644); !written)
    return wrong(written.error());
  return {.text = path};
}

void install_list(const InstallOptions& options, Plugins plugins, std::vector<InstallStep>& steps) {
  const auto text = list_to_install(options, plugins);
  if (!text) {
    steps.push_back(wrong(text.error()));
    return;
  }
  const Json list = *parse_json(*text);
  const std::string path = options.conf_dir + "/" + options.conf_name;
  if (const std::string type = missing_plugin(list, options.bin_dir); !type.empty()) {
    steps.push_back({.mark = Mark::kWrong,
                     .text = path + " is not written: it needs the plugin " + in_quotes(type) +
                             ", which is not in " + options.bin_dir});
    return;
  }
  const auto subnet_file = subnet_file_of(list);
  if (subnet_file && !wait_for_subnet(*subnet_file, options.wait)) {
    steps.push_back({.mark = Mark::kWrong,
                     .text = path + " is not written: " + why_not_ready(*subnet_file) +
                             "; run this again when it is ready, or with --wait"});
    return;
  }
  steps.push_back(write_list(options, *text));
  warn_of_earlier_lists(options, steps);
}

}  // namespace

Result<std::string> list_to_install(const InstallOptions& options, Plugins plugins) {
  std::string text = kUsualList;
  if (!options.list_file.empty()) {
    ASSIGN_OR_RETURN(text, read_file(options.list_file, kLongestList));
  }
  const std::string where = options.list_file.empty() ? "the list of plugins" : options.list_file;
  auto list = parse_json(text);
  if (!list) return weft::because(where, list.error());
  auto chain = as_chain(*list, plugins);
  if (!chain) return fail(where + ": " + chain.error().message);
  if (options.ordinary) return list->dump(kIndent) + "\n";
  return chain->dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<InstallStep> install(const InstallOptions& options, Plugins plugins) {
  if (const auto made = make_directories(options.bin_dir); !made) return {wrong(made.error())};
  std::vector<InstallStep> steps = {copy_program(options.bin_dir)};
  if (is_wrong(steps.back())) return steps;
  for (const Plugin* plugin : plugins)
    steps.push_back(link_plugin(options.bin_dir, std::string(plugin->name)));
  if (!options.conf_dir.empty() && std::none_of(steps.begin(), steps.end(), is_wrong))
    install_list(options, plugins, steps);
  return steps;
}

}  // namespace weft::cni
