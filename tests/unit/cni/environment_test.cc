#include "cni/environment.h"

#include <map>

#include <gtest/gtest.h>

#include "cni/arguments.h"

namespace weft::cni {
namespace {

using Variables = std::map<std::string, std::string>;

CniResult<Environment> read(const Variables& variables) {
  return read_environment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

Variables complete(const std::string& command) {
  return {{"CNI_COMMAND", command}, {"CNI_CONTAINERID", "c1"}, {"CNI_NETNS", "/run/netns/x"},
          {"CNI_IFNAME", "eth0"},   {"CNI_ARGS", "A=B"},       {"CNI_PATH", "/opt/cni/bin"}};
}

TEST(CniEnvironment, EachCommandNeedsItsVariables) {
  struct {
    const char* command;
    const char* variable;
    bool needed;
  } const cases[] = {
      {"ADD", "CNI_CONTAINERID", true}, {"ADD", "CNI_NETNS", true},
      {"ADD", "CNI_IFNAME", true},      {"ADD", "CNI_PATH", true},
      {"ADD", "CNI_ARGS", false},       {"CHECK", "CNI_NETNS", true},
      {"DEL", "CNI_NETNS", false},      {"DEL", "CNI_CONTAINERID", true},
      {"DEL", "CNI_IFNAME", true},      {"DEL", "CNI_PATH", true},
      {"GC", "CNI_CONTAINERID", false}, {"GC", "CNI_IFNAME", false},
      {"GC", "CNI_PATH", true},         {"STATUS", "CNI_NETNS", false},
      {"STATUS", "CNI_PATH", true},     {"VERSION", "CNI_PATH", false},
  };
  for (const auto& c : cases) {
    Variables variables = complete(c.command);
    variables.erase(c.variable);
    const auto environment = read(variables);
    EXPECT_EQ(environment.has_value(), !c.needed) << c.command << " without " << c.variable;
    if (c.needed) {
      EXPECT_EQ(environment.error().code, Code::kInvalidEnvironment);
      EXPECT_EQ(environment.error().message,
                "required env variables [" + std::string(c.variable) + "] missing");
    }
  }
}

TEST(CniEnvironment, AllThatIsMissingIsToldAtOnceInOrder) {
  const auto environment = read({{"CNI_COMMAND", "ADD"}, {"CNI_NETNS", "x"}});
  EXPECT_EQ(environment.error().message,
            "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing");
  EXPECT_EQ(read({}).error().message, "required env variables [CNI_COMMAND] missing");
}

TEST(CniEnvironment, RefusesBadIdsAndNames) {
  struct {
    const char* variable;
    const char* value;
    const char* message;
  } const cases[] = {
      {"CNI_CONTAINERID", "a b", "invalid characters in containerID"},
      {"CNI_CONTAINERID", "c1\n", "invalid characters in containerID"},
      {"CNI_CONTAINERID", "../c1", "invalid characters in containerID"},
      {"CNI_CONTAINERID", "-c1", "invalid characters in containerID"},
      {"CNI_IFNAME", "sixteen-letters-", "interface name is too long"},
      {"CNI_IFNAME", ".", "interface name is . or .."},
      {"CNI_IFNAME", "..", "interface name is . or .."},
      {"CNI_IFNAME", "a/b", "interface name contains / or : or whitespace characters"},
      {"CNI_IFNAME", "a:b", "interface name contains / or : or whitespace characters"},
      {"CNI_IFNAME", "a b", "interface name contains / or : or whitespace characters"},
  };
  for (const auto& c : cases) {
    Variables variables = complete("ADD");
    variables[c.variable] = c.value;
    const auto environment = read(variables);
    ASSERT_FALSE(environment) << c.value;
    EXPECT_EQ(environment.error().code, Code::kInvalidEnvironment);
    EXPECT_EQ(environment.error().message, c.message) << c.value;
    // Nobody looks at them where they are not needed.
    variables["CNI_COMMAND"] = "GC";
    EXPECT_TRUE(read(variables)) << c.value;
  }
}

TEST(CniArguments, KnownOnesAreReadAndUnknownOnesRefused) {
  EXPECT_EQ(parse_arguments("", {"IP"})->size(), 0U);
  EXPECT_EQ(parse_arguments("IP=10.0.0.1;MAC=x", {"IP", "MAC"})->at("IP"), "10.0.0.1");
  EXPECT_EQ(parse_arguments("A=1;B=2", {}).error().message, R"(ARGS: unknown args ["A=1" "B=2"])");
  EXPECT_EQ(parse_arguments("ip=10.0.0.1", {"IP"}).error().message,
            R"(ARGS: unknown args ["ip=10.0.0.1"])");
  for (const char* yes : {"1", "true", "True"})
    EXPECT_TRUE(parse_arguments("A=1;IgnoreUnknown=" + std::string(yes), {})) << yes;
  for (const char* no : {"0", "false", "False"})
    EXPECT_FALSE(parse_arguments("IgnoreUnknown=" + std::string(no) + ";A=1", {})) << no;
  EXPECT_FALSE(parse_arguments("IgnoreUnknown=perhaps", {}));
  for (const char* bad : {"A", "A=B=C", ";", "A=1;"})
    EXPECT_NE(parse_arguments(bad, {"A"}).error().message.find("ARGS: invalid pair"),
              std::string::npos)
        << bad;
}

}  // namespace
}  // namespace weft::cni
