#include <array>

#include <gtest/gtest.h>

#include "cni/plugins/chain_config.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

Json json(const std::string& text) {
  return parse_json(text).value();
}

TEST(Chain, MembersThatCannotBeAreRefused) {
  struct {
    const char* config;
    const char* message;
  } const cases[] = {
      {"{}", "the list \"plugins\" is missing or empty"},
      {R"({"plugins":[]})", "the list \"plugins\" is missing or empty"},
      {R"({"plugins":null})", "the list \"plugins\" is missing or empty"},
      {R"({"plugins":[{}]})", "a plugin of the list has no type"},
      {R"({"plugins":[{"type":7}]})", "a plugin of the list has no type"},
      {R"({"plugins":["bridge"]})", "a plugin of the list has no type"},
      {R"({"plugins":[{"type":"weft-chain","plugins":[]}]})",
       "weft-chain cannot be a member of itself"},
  };
  for (const auto& c : cases) {
    const auto members = chain_members(json(c.config));
    ASSERT_FALSE(members) << c.config;
    EXPECT_EQ(members.error().code, Code::kInvalidNetworkConfig) << c.config;
    EXPECT_EQ(members.error().message, c.message) << c.config;
  }
  EXPECT_FALSE(chain_members(json(R"({"plugins":7})")));
}

TEST(Chain, AMemberGetsWhatARuntimeWouldGiveIt) {
  const CallOf outer(R"({"cniVersion":"1.0.0","name":"n","type":"weft-chain",
      "capabilities":{"portMappings":true,"mac":true},
      "runtimeConfig":{"portMappings":[{"hostPort":80}],"mac":"02:00:00:00:00:01"}})");
  struct {
    const char* member;
    const char* config;
  } const cases[] = {
      {R"({"type":"tuning","mtu":1400})",
       R"({"type":"tuning","mtu":1400,"name":"n","cniVersion":"1.0.0","prevResult":{"ips":[]}})"},
      {R"({"type":"portmap","capabilities":{"portMappings":true}})",
       R"({"type":"portmap","capabilities":{"portMappings":true},"name":"n","cniVersion":"1.0.0",
           "runtimeConfig":{"portMappings":[{"hostPort":80}]},"prevResult":{"ips":[]}})"},
      {R"({"type":"x","capabilities":{"mac":false,"ips":true}})",
       R"({"type":"x","capabilities":{"mac":false,"ips":true},"name":"n","cniVersion":"1.0.0",
           "prevResult":{"ips":[]}})"},
  };
  const Json previous = json(R"({"ips":[]})");
  for (const auto& c : cases)
    EXPECT_EQ(json(member_config(outer.call, json(c.member), &previous)), json(c.config));
}

TEST(Chain, GcHandsTheAttachmentsOn) {
  const CallOf outer(R"({"cniVersion":"1.1.0","name":"n",
      "cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}]})");
  EXPECT_EQ(json(member_config(outer.call, json(R"({"type":"x"})"), nullptr)),
            json(R"({"type":"x","name":"n","cniVersion":"1.1.0",
                "cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}]})"));
}

TEST(Chain, AListOfOursBecomesOnePlugin) {
  const Plugin first{.name = "flannel", .add = {}, .del = {}, .check = {}, .status = {}, .gc = {}};
  const Plugin second{.name = "portmap", .add = {}, .del = {}, .check = {}, .status = {}, .gc = {}};
  const std::array<const Plugin*, 2> ours{&first, &second};
  const char* const list = R"({"name":"cbr0","cniVersion":"1.0.0","disableCheck":true,"plugins":[
      {"type":"flannel"},{"type":"portmap","capabilities":{"portMappings":true,"mac":false}}]})";
  EXPECT_EQ(as_chain(json(list), ours).value(),
            json(R"({"name":"cbr0","cniVersion":"1.0.0","disableCheck":true,"plugins":[
                {"type":"weft-chain","capabilities":{"portMappings":true},"plugins":[
                {"type":"flannel"},
                {"type":"portmap","capabilities":{"portMappings":true,"mac":false}}]}]})"));
  struct {
    const char* what;
    const char* list;
  } const kept[] = {
      {"one plugin", R"({"name":"n","plugins":[{"type":"flannel"}]})"},
      {"a chain already", R"({"name":"n","plugins":[{"type":"weft-chain","plugins":[]}]})"},
      {"another's member", R"({"name":"n","plugins":[{"type":"flannel"},{"type":"cilium"}]})"},
  };
  for (const auto& c : kept)
    EXPECT_EQ(as_chain(json(c.list), ours).value(), json(c.list)) << c.what;
  EXPECT_FALSE(as_chain(json(R"({"name":"n"})"), ours));
}

}  // namespace
}  // namespace weft::cni
