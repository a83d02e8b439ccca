// The protocol's own rules, asked of every plugin that weft-cni holds: the cases of
// containernetworking/cni pkg/skel, from outside.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/text.h"
#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginReply;
using test::WeftPlugins;

using Variables = std::map<std::string, std::string>;

std::vector<std::string> plugin_names() {
  std::vector<std::string> names;
  const auto list = run({.argv = {WEFT_CNI, "list", "-o", "names"}});
  if (!list) return names;
  for (const auto& name : split(list->output, '\n'))
    if (!name.empty()) names.push_back(name);
  return names;
}

class CniProtocol : public testing::TestWithParam<std::string> {
 protected:
  /// Everything that a command may need; the namespace is not there.
  Variables all(const std::string& command) const {
    return {{"CNI_COMMAND", command},
            {"CNI_CONTAINERID", "some-container-id"},
            {"CNI_NETNS", "/none/here"},
            {"CNI_IFNAME", "eth0"},
            {"CNI_ARGS", ""},
            {"CNI_PATH", plugins_.folder().path()}};
  }
  PluginReply call(const Variables& variables, const std::string& config) const {
    std::vector<std::string> list;
    for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
    return plugins_.folder().run_with(GetParam(), std::move(list), config);
  }
  /// A configuration of the newest version, or of another.
  static std::string config(const std::string& version = "1.1.0") {
    return R"({"cniVersion":")" + version + R"(","name":"n","type":")" + GetParam() + "\"}";
  }
  static void expect_error(const PluginReply& reply, int code, const std::string& message) {
    EXPECT_EQ(reply.exit_code, 1);
    EXPECT_EQ(reply.code(), code) << reply.output;
    EXPECT_EQ(reply.message(), message) << reply.output;
  }

  WeftPlugins plugins_;
};

TEST_P(CniProtocol, EachCommandNamesTheVariablesThatItMisses) {
  struct {
    const char* command;
    std::vector<std::string> needed;
  } const cases[] = {
      {"ADD", {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"}},
      {"CHECK", {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"}},
      {"DEL", {"CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"}},
      {"GC", {"CNI_PATH"}},
      {"STATUS", {"CNI_PATH"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.command);
    Variables none = {{"CNI_COMMAND", c.command}};
    std::string names;
    for (const auto& name : c.needed) {
      names += (names.empty() ? "" : ",") + name;
      for (const bool empty : {false, true}) {
        Variables without = all(c.command);
        without.erase(name);
        if (empty) without[name] = "";
        expect_error(call(without, config()), 4, "required env variables [" + name + "] missing");
      }
    }
    expect_error(call(none, config()), 4, "required env variables [" + names + "] missing");
  }
}

TEST_P(CniProtocol, NamesThatCannotBeAreRefused) {
  for (const std::string name : {".", "..", "a/b", "a:b", "a b", "a\tb"}) {
    Variables variables = all("ADD");
    variables["CNI_IFNAME"] = name;
    EXPECT_EQ(call(variables, config()).code(), 4) << name;
  }
  Variables too_long = all("ADD");
  too_long["CNI_IFNAME"] = "1234567890123456";
  expect_error(call(too_long, config()), 4, "interface name is too long");
  for (const std::string id : {"../up", "a b", "-a", "a\n", "a/b"}) {
    Variables variables = all("DEL");
    variables["CNI_CONTAINERID"] = id;
    expect_error(call(variables, config()), 4, "invalid characters in containerID");
  }
}

TEST_P(CniProtocol, UnknownCommandsAndNone) {
  expect_error(call(all("NOPE"), config()), 4, "unknown CNI_COMMAND: NOPE");
  Variables none = all("");
  const PluginReply about = call(none, "");
  EXPECT_EQ(about.exit_code, 0);
  EXPECT_EQ(about.output, "");
  EXPECT_TRUE(about.errors.starts_with("CNI " + GetParam() + " plugin ")) << about.errors;
}

TEST_P(CniProtocol, VersionNeedsNothingAndReadsNothing) {
  const PluginReply reply = call({{"CNI_COMMAND", "VERSION"}}, "no JSON");
  EXPECT_EQ(reply.exit_code, 0);
  EXPECT_EQ(reply.json["cniVersion"], "1.1.0");
  EXPECT_EQ(reply.json["supportedVersions"].back(), "1.1.0");
}

TEST_P(CniProtocol, ConfigurationsThatCannotBeRead) {
  for (const char* command : {"ADD", "DEL", "CHECK", "STATUS", "GC"}) {
    SCOPED_TRACE(command);
    for (const char* text : {"", "{", "[]", "7", "{} {}", R"({"name":7})"})
      EXPECT_EQ(call(all(command), text).code(), 6) << text;
    expect_error(call(all(command), R"({"cniVersion":"1.1.0"})"), 7, "missing network name");
    expect_error(call(all(command), R"({"cniVersion":"1.1.0","name":"../x"})"), 7,
                 "invalid characters found in network name");
  }
}

TEST_P(CniProtocol, VersionsThatItDoesNotKnow) {
  for (const char* command : {"ADD", "DEL"}) {
    const PluginReply reply = call(all(command), config("0.9.9"));
    expect_error(reply, 1, "incompatible CNI versions");
    EXPECT_TRUE(reply.details().starts_with("config is \"0.9.9\", plugin supports [\""))
        << reply.details();
  }
  struct {
    const char* command;
    const char* version;
    int code;
    std::string message;
  } const cases[] = {
      {"CHECK", "0.3.1", 1, "config version does not allow CHECK"},
      {"CHECK", "9.9.9", 1, "plugin version does not allow CHECK"},
      {"GC", "1.0.0", 1, "config version does not allow GC"},
      {"GC", "9.9.9", 1, "plugin version does not allow GC"},
      {"STATUS", "1.0.0", 1, "config version does not allow STATUS"},
      {"STATUS", "9.9.9", 1, "plugin version does not allow STATUS"},
  };
  for (const auto& c : cases)
    expect_error(call(all(c.command), config(c.version)), c.code, c.message);
  for (const char* command : {"CHECK", "GC", "STATUS"})
    EXPECT_EQ(call(all(command), config("adsfsadf")).code(), 6) << command;
}

TEST_P(CniProtocol, StandardInputThatCannotBeRead) {
  const auto outcome =
      must(run({.argv = {"sh", "-c", "exec \"$0\" </", plugins_.folder().path() + "/" + GetParam()},
                .environment = [&] {
                  std::vector<std::string> list;
                  for (const auto& [name, value] : all("DEL")) list.push_back(name + "=" + value);
                  return list;
                }()}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(must(parse_json(outcome.output))["code"], 5) << outcome.output;
}

TEST_P(CniProtocol, TheNamespaceOfTheHostIsNoContainers) {
  Variables variables = all("ADD");
  variables["CNI_NETNS"] = "/proc/self/ns/net";
  for (const char* command : {"ADD", "DEL"}) {
    variables["CNI_COMMAND"] = command;
    expect_error(call(variables, config()), 8,
                 "plugin's netns and netns from CNI_NETNS should not be the same");
  }
}

// Whatever a result of before holds, the answer is one of the protocol.
TEST_P(CniProtocol, ResultsOfBeforeThatAreNonsense) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container pod("some-container-id");
    for (const char* previous :
         {"7", "[]", R"({"cniVersion":"7.7.7"})", R"({"cniVersion":"0.4.0","ips":[]})",
          R"({"ips":[{"address":"x"}]})", R"({"interfaces":[{"name":7}]})",
          R"({"interfaces":[],"ips":[{"interface":9,"address":"10.1.2.3/24"}]})"}) {
      for (const char* command : {"ADD", "CHECK"}) {
        Variables variables = all(command);
        variables["CNI_NETNS"] = pod.path();
        std::string text = config();
        text.insert(1, "\"prevResult\":" + std::string(previous) + ",");
        const PluginReply reply = call(variables, text);
        EXPECT_TRUE(reply.exit_code == 0 || reply.exit_code == 1) << previous;
        EXPECT_TRUE(reply.output.empty() || reply.json.is_object()) << reply.output;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Cni, CniProtocol, testing::ValuesIn(plugin_names()),
                         [](const testing::TestParamInfo<std::string>& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace weft
