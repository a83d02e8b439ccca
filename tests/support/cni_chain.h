// cni_chain.h: a list of CNI plugins, called one after another as a runtime calls them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/cni_plugins.h"

namespace weft::test {

/// The plugins of a list, of one network. Remembers what ADD gave, for CHECK and DEL.
class CniChain {
 public:
  /// Each plugin as the text of its object; "DATA" in it becomes `data_dir`.
  CniChain(std::vector<std::string> plugins, const std::string& data_dir,
           std::string version = "1.0.0", std::string network = "n")
      : version_(std::move(version)), network_(std::move(network)) {
    for (auto& text : plugins) {
      if (const auto at = text.find("DATA"); at != std::string::npos) text.replace(at, 4, data_dir);
      auto json = parse_json(text);
      EXPECT_TRUE(json) << text;
      plugins_.push_back(*std::move(json));
    }
  }

  /// Stops at the first plugin that refuses. The reply is that of the last one called.
  PluginReply add(const PluginFolder& folder, const ContainerPort& port) {
    Json previous;
    PluginReply reply;
    for (const auto& plugin : plugins_) {
      reply = call(folder, "ADD", plugin, port, previous);
      if (!reply.ok()) return reply;
      previous = reply.json;
    }
    results_[port.id + port.ifname] = previous;
    return reply;
  }
  PluginReply check(const PluginFolder& folder, const ContainerPort& port) const {
    PluginReply reply;
    for (const auto& plugin : plugins_) {
      reply = call(folder, "CHECK", plugin, port, result(port));
      if (!reply.ok()) return reply;
    }
    return reply;
  }
  /// Every plugin, whatever the others said; the reply is the first refusal.
  PluginReply del(const PluginFolder& folder, const ContainerPort& port) const {
    return del_with(folder, port, result(port));
  }
  /// As after the runtime has lost its cache.
  PluginReply del_without_result(const PluginFolder& folder, const ContainerPort& port) const {
    return del_with(folder, port, Json());
  }
  PluginReply gc(const PluginFolder& folder, const std::vector<ContainerPort>& valid) const {
    Json list = Json::array();
    for (const auto& port : valid)
      list.push_back({{"containerID", port.id}, {"ifname", port.ifname}});
    PluginReply first;
    first.exit_code = 0;
    for (const auto& plugin : plugins_) {
      Json config = plugin;
      config["cni.dev/valid-attachments"] = list;
      const PluginReply reply = call(folder, "GC", config, {}, Json());
      if (first.ok() && !reply.ok()) first = reply;
    }
    return first;
  }

 private:
  PluginReply call(const PluginFolder& folder, const std::string& command, Json config,
                   const ContainerPort& port, const Json& previous) const {
    config["name"] = network_;
    config["cniVersion"] = command == "GC" ? "1.1.0" : version_;
    if (!previous.is_null()) config["prevResult"] = previous;
    const std::string type = config["type"];
    return folder.call(type, command, port, to_text(config));
  }
  PluginReply del_with(const PluginFolder& folder, const ContainerPort& port,
                       const Json& previous) const {
    PluginReply first;
    first.exit_code = 0;
    for (auto plugin = plugins_.rbegin(); plugin != plugins_.rend(); ++plugin) {
      const PluginReply reply = call(folder, "DEL", *plugin, port, previous);
      if (first.ok() && !reply.ok()) first = reply;
    }
    return first;
  }
  Json result(const ContainerPort& port) const {
    const auto found = results_.find(port.id + port.ifname);
    return found == results_.end() ? Json() : found->second;
  }

  std::string version_;
  std::string network_;
  std::vector<Json> plugins_;
  std::map<std::string, Json> results_;
};

}  // namespace weft::test
