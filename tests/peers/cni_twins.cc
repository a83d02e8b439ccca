#include "cni_twins.h"

#include <regex>

#include "support/go_peers.h"

namespace weft::test {
namespace {

using Case = TwinCase;

/// What one side's ADD and DEL of a case said and left.
struct Trial {
  PluginReply added;
  PluginReply deleted;
  std::map<std::string, std::string> after_add;
  std::map<std::string, std::string> after_del;
};

std::string plugin_of(const std::string& config) {
  return must(parse_json(config))["type"];
}

const PluginFolder& go_plugins_for(const Case& c) {
  if (!c.newest) return go_plugins();
  static const PluginFolder newest(go_peer("cni-plugins"));
  return newest;
}

Trial try_case(const PluginFolder& plugins, const Case& c) {
  Trial trial;
  TempDir data;
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    if (c.prepare) c.prepare(host);
    const Container container("c1");
    ContainerPort port = container.port();
    port.args = c.args;
    const std::string config = replace_all(c.config, "DATA", data.path());
    trial.added = plugins.call(plugin_of(config), "ADD", port, config);
    trial.after_add = observe(container, "br0", data.path());
    trial.deleted = plugins.call(plugin_of(config), "DEL", port, config);
    trial.after_del = observe(container, "br0", data.path());
  });
  return trial;
}

/// Compares what there is on our side with every part of theirs.
void expect_same(const std::map<std::string, std::string>& ours,
                 const std::map<std::string, std::string>& theirs) {
  for (const auto& [what, state] : theirs) EXPECT_EQ(ours.at(what), state) << what;
}

// The kernel tells of a carrier when it finds the time. Nobody waits for it but an ADD of bridge.
std::map<std::string, std::string> without_carrier(std::map<std::string, std::string> state) {
  for (const char* links : {"host links", "container links"})
    state[links] =
        std::regex_replace(state[links], std::regex("NO-CARRIER,|,LOWER_UP| state [A-Z]+"), "");
  return state;
}

// A result as a value, since the order of members is nobody's business. An empty `dns`, and the
// `version` that version 1.1 of the Go loopback forgets, say nothing.
nlohmann::json as_value(const PluginReply& reply) {
  auto json = nlohmann::json::parse(normalised(reply.output));
  if (json.contains("dns") && json["dns"].empty()) json.erase("dns");
  if (json.contains("ips") && json.contains("interfaces") && json["interfaces"][0]["name"] == "lo")
    for (auto& ip : json["ips"]) ip.erase("version");
  return json;
}

// We may say more, but what they say is in it.
void expect_same_refusal(const PluginReply& ours, const PluginReply& theirs) {
  EXPECT_EQ(ours.code(), theirs.code()) << ours.output << theirs.output;
  std::string said = normalised(theirs.message());
  if (said.ends_with('.')) said.pop_back();
  EXPECT_NE(normalised(ours.message()).find(said), std::string::npos)
      << ours.output << theirs.output;
}

TEST_P(SameAsGo, AddAndDelSayAndLeaveTheSame) {
  const WeftPlugins weft;
  const Trial theirs = try_case(go_plugins_for(GetParam()), GetParam());
  const Trial ours = try_case(weft.folder(), GetParam());
  ASSERT_EQ(ours.added.ok(), theirs.added.ok()) << ours.added.output << theirs.added.output;
  // Where theirs succeeds ours does; ours may succeed more often.
  EXPECT_TRUE(ours.deleted.ok() || !theirs.deleted.ok()) << ours.deleted.output;
  if (!theirs.added.ok()) return expect_same_refusal(ours.added, theirs.added);
  EXPECT_EQ(as_value(ours.added), as_value(theirs.added));
  if (plugin_of(GetParam().config) == "bridge")
    expect_same(ours.after_add, theirs.after_add);
  else
    expect_same(without_carrier(ours.after_add), without_carrier(theirs.after_add));
  EXPECT_EQ(ours.deleted.output, theirs.deleted.output);
  expect_same(without_carrier(ours.after_del), without_carrier(theirs.after_del));
}

std::string with_previous(const std::string& config, const PluginReply& added) {
  auto json = must(parse_json(config));
  json["prevResult"] = added.json;
  return to_text(json);
}

// One side adds, the other checks and deletes.
void add_here_and_delete_there(const PluginFolder& adder, const PluginFolder& deleter,
                               const Case& c) {
  TempDir data;
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    if (c.prepare) c.prepare(host);
    const Container container("c1");
    ContainerPort port = container.port();
    port.args = c.args;
    const std::string config = replace_all(c.config, "DATA", data.path());
    const std::string plugin = plugin_of(config);
    const auto before = observe(container, "br0", data.path());
    const PluginReply added = adder.call(plugin, "ADD", port, config);
    if (!added.ok()) return;
    const std::string chained = with_previous(config, added);
    const bool can_check = &deleter != &go_plugins_for(c) || c.go_can_check;
    if (can_check && config.find("\"1.0.0\"") != std::string::npos) {
      const PluginReply checked = deleter.call(plugin, "CHECK", port, chained);
      EXPECT_TRUE(checked.ok()) << checked.output << checked.errors;
    }
    const PluginReply deleted = deleter.call(plugin, "DEL", port, config);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    const auto after = observe(container, "br0", data.path());
    EXPECT_EQ(after.at("container links"), before.at("container links"));
    EXPECT_EQ(after.at("files").find("c1"), std::string::npos) << after.at("files");
    EXPECT_EQ(after.at("host links").find("vethXXXXXXXX"), std::string::npos)
        << after.at("host links");
    // And the address is free for the side that gave it out.
    const PluginReply again = adder.call(plugin, "ADD", port, config);
    EXPECT_TRUE(again.ok()) << again.output;
  });
}

TEST_P(AcrossTheSides, WeftChecksAndDeletesWhatGoAdded) {
  const WeftPlugins weft;
  add_here_and_delete_there(go_plugins_for(GetParam()), weft.folder(), GetParam());
}

TEST_P(AcrossTheSides, GoChecksAndDeletesWhatWeftAdded) {
  const WeftPlugins weft;
  add_here_and_delete_there(weft.folder(), go_plugins_for(GetParam()), GetParam());
}

}  // namespace

const PluginFolder& go_plugins() {
  static const PluginFolder folder("/usr/lib/cni");
  return folder;
}

std::string replace_all(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace weft::test
