// The extension backend's commands: from net-conf.json's text to an argument vector.
#include <gtest/gtest.h>

#include "overlay/command_template.h"
#include "overlay/extension_plan.h"

namespace weft::overlay {
namespace {

using Words = std::vector<std::string>;

const CommandTemplate::Variables kSet{
    {"SUBNET", "10.5.2.0/24"}, {"PUBLIC_IP", "192.0.2.2"}, {"IPV6SUBNET", ""}};
const CommandTemplate::Variables kInherited{{"HOME", "/root dir"}};

Words expand(const char* text) {
  const auto command = CommandTemplate::parse(text);
  EXPECT_TRUE(command) << text << ": " << command.error().text();
  return command ? command->expand(kSet, kInherited) : Words();
}

TEST(CommandTemplate, ATextIsSplitAsFlannelsAndItsDocumentedQuotesGroup) {
  const struct {
    const char* text;
    Words words;
  } cases[] = {
      {"ip route add $SUBNET via $PUBLIC_IP",
       {"ip", "route", "add", "10.5.2.0/24", "via", "192.0.2.2"}},
      {R"(ip route del "$SUBNET" via "$PUBLIC_IP")",
       {"ip", "route", "del", "10.5.2.0/24", "via", "192.0.2.2"}},
      {R"(wg endpoint "$PUBLIC_IP":51820)", {"wg", "endpoint", "192.0.2.2:51820"}},
      {"a ${SUBNET}x", {"a", "10.5.2.0/24x"}},
      {"  a \t b\n", {"a", "b"}},
      {"a $HOME", {"a", "/root dir"}},  // one word, whatever the value holds
      {"a $UNKNOWN b", {"a", "", "b"}},
      {R"(a "" '')", {"a", "", ""}},
      {R"(a '$SUBNET' "b c" d\ e)", {"a", "$SUBNET", "b c", "d e"}},
      {"a $ $5 ${ ${}", {"a", "$", "$5", "${", "${}"}},
      {"", {}},
  };
  for (const auto& [text, words] : cases) EXPECT_EQ(expand(text), words) << text;
}

TEST(CommandTemplate, WhatOnlyAShellUnderstandsIsRefused) {
  for (const char* text :
       {"a; b", "a && b", "a | b", "a > /x", "a < /x", "a `b`", "a $(b)", "a \"$(b)\"", "a &"}) {
    const auto command = CommandTemplate::parse(text);
    ASSERT_FALSE(command) << text;
    EXPECT_NE(command.error().text().find(R"(["sh", "-c", "..."])"), std::string::npos);
  }
  EXPECT_EQ(expand(R"(a "b;c" '`')"), (Words{"a", "b;c", "`"}));
  EXPECT_FALSE(CommandTemplate::parse("a \"b"));
}

TEST(CommandTemplate, AnArrayKeepsItsWordsAndWhatAShellWouldExpand) {
  const auto command = CommandTemplate::of_words(
      {"sh", "-c", "read VTEP; ip route replace $SUBNET dev x && echo \"$VTEP\" $(id)"});
  ASSERT_TRUE(command);
  EXPECT_EQ(
      command->expand(kSet, kInherited),
      (Words{"sh", "-c", "read VTEP; ip route replace 10.5.2.0/24 dev x && echo \"$VTEP\" $(id)"}));
  EXPECT_FALSE(CommandTemplate::of_words({std::string("a\0b", 3)}));
}

TEST(ExtensionData, ComesBackAndHostileDataIsRefused) {
  EXPECT_EQ(*parse_extension_data(extension_data_to_json("02:00\n\"x\"")), "02:00\n\"x\"");
  EXPECT_EQ(*parse_extension_data(""), "");
  EXPECT_EQ(*parse_extension_data("null"), "");
  for (const std::string& text :
       {std::string("{"), std::string("{}"), std::string("5"), std::string("\"a\\u0000b\""),
        std::string("\"\\u001b[2J\""), "\"" + std::string(20'000, 'x') + "\""})
    EXPECT_FALSE(parse_extension_data(text)) << text.substr(0, 20);
}

TEST(ExtensionPeers, OneLeaseIsOneNodeOfBothFamilies) {
  const LeaseKey key = LeaseKey::parse("10.5.2.0-24&fd00:5:2::-64").value();
  const LeaseKey bad = LeaseKey::parse("10.5.3.0-24").value();
  LeaseView view;
  view.leases[key] = {.key = key,
                      .attributes = {.public_ipv4 = IpAddress::parse("192.0.2.2"),
                                     .public_ipv6 = IpAddress::parse("2001:db8::2"),
                                     .backend_type = "extension",
                                     .backend_data = "\"02:00\""}};
  view.leases[bad] = {.key = bad,
                      .attributes = {.public_ipv4 = IpAddress::parse("192.0.2.3"),
                                     .backend_type = "extension",
                                     .backend_data = "{}"}};
  Peers accepted;
  for (const Prefix& subnet : {*key.ipv4, *key.ipv6, *bad.ipv4})
    accepted.of[subnet.family()].push_back({.subnet = subnet, .public_address = {}});
  const auto peers = extension_peers(accepted, view);
  ASSERT_EQ(peers.nodes.size(), 1U);
  const ExtensionNode& node = peers.nodes.at(key);
  EXPECT_EQ(node.data, "02:00");
  EXPECT_EQ(extension_variables({}, node),
            (CommandTemplate::Variables{{"NETWORK", ""},
                                        {"SUBNET", "10.5.2.0/24"},
                                        {"IPV6SUBNET", "fd00:5:2::/64"},
                                        {"PUBLIC_IP", "192.0.2.2"},
                                        {"PUBLIC_IPV6", "2001:db8::2"}}));
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_NE(peers.refused[0].find("10.5.3.0/24"), std::string::npos);

  // A family that was not accepted is not told.
  accepted.of.erase(Family::kIpv6);
  EXPECT_FALSE(extension_peers(accepted, view).nodes.at(key).public_ipv6);
}

}  // namespace
}  // namespace weft::overlay
