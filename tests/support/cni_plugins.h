// cni_plugins.h: CNI plugins run as a runtime runs them: a program, variables, JSON on stdin.
#pragma once

#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "support/temp_dir.h"

namespace weft::test {

struct PluginReply {
  int exit_code = -1;
  std::string output = {};
  std::string errors = {};
  Json json = {};  ///< the output, when it is JSON

  bool ok() const { return exit_code == 0; }
  int code() const { return json.is_object() ? json.value("code", 0) : 0; }
  std::string message() const {
    return json.is_object() ? json.value("msg", std::string()) : std::string();
  }
  std::string details() const {
    return json.is_object() ? json.value("details", std::string()) : std::string();
  }
};

/// One interface of one container.
struct ContainerPort {
  std::string id = "c1";
  std::string netns = {};  ///< a path
  std::string ifname = "eth0";
  std::string args = {};
};

/// A folder of plugins, as CNI_PATH names it.
class PluginFolder {
 public:
  /// Plugins that are installed there.
  explicit PluginFolder(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  std::vector<std::string> variables(const std::string& command, const ContainerPort& port) const {
    std::vector<std::string> result = {"CNI_COMMAND=" + command, "CNI_PATH=" + path_,
                                       "CNI_CONTAINERID=" + port.id, "CNI_IFNAME=" + port.ifname,
                                       "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    if (!port.netns.empty()) result.push_back("CNI_NETNS=" + port.netns);
    if (!port.args.empty()) result.push_back("CNI_ARGS=" + port.args);
    return result;
  }

  /// In the calling thread's network namespace.
  PluginReply call(const std::string& plugin, const std::string& command, const ContainerPort& port,
                   const std::string& config) const {
    return run_with(plugin, variables(command, port), config);
  }
  PluginReply run_with(const std::string& plugin, std::vector<std::string> variables,
                       const std::string& config) const {
    const auto outcome = run({.argv = {path_ + "/" + plugin},
                              .input = config,
                              .environment = std::move(variables),
                              .limit = std::chrono::seconds(60)});
    PluginReply reply;
    if (!outcome) {
      ADD_FAILURE() << outcome.error().text();
      return reply;
    }
    reply.exit_code = outcome->exit_code;
    reply.output = outcome->output;
    reply.errors = outcome->errors;
    if (auto json = parse_json(reply.output)) reply.json = *std::move(json);
    return reply;
  }

 private:
  std::string path_;
};

/// Links to weft-cni, whose path the build tells: one a plugin that it holds.
class WeftPlugins {
 public:
  WeftPlugins() {
    const auto list = run({.argv = {WEFT_CNI, "list", "-o", "names"}});
    EXPECT_TRUE(list) << list.error().text();
    if (!list) return;
    for (const auto& name : split(list->output, '\n'))
      if (!name.empty()) link(name);
  }
  void link(const std::string& name) {
    EXPECT_EQ(::symlink(WEFT_CNI, (folder_.path() + "/" + name).c_str()), 0);
  }
  PluginFolder folder() const { return PluginFolder(folder_.path()); }

 private:
  TempDir folder_;
};

}  // namespace weft::test
