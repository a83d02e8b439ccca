#include "overlay/forward_verdict.h"

#include <gtest/gtest.h>

#include "net/nft_rules.h"

namespace weft::overlay {
namespace {

using namespace nft;

ForwardedPacket packet() {
  return {.source = IpAddress::parse("10.244.1.2").value(),
          .destination = IpAddress::parse("10.244.2.2").value(),
          .incoming_link = "flannel.1",
          .outgoing_link = "cni0"};
}

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

RuleWriter rule() {
  return RuleWriter(TableFamily::kInet);
}

// A table with one base chain in the forward hook, and chains that it may jump to.
TableContents table(std::vector<Rule> rules, Policy policy = Policy::kAccept) {
  TableContents contents;
  contents.table.id = {.family = TableFamily::kInet, .name = "guard"};
  contents.add({.name = "base",
                .hook = Hook{.type = "filter", .point = HookPoint::kForward, .policy = policy}},
               std::move(rules));
  contents.add({.name = "dropping"}, {rule().counter(), rule().drop()});
  contents.add({.name = "accepting"}, {rule().accept()});
  contents.add({.name = "returning"}, {rule().return_from_chain(), rule().drop()});
  return contents;
}

std::string where(const TableContents& contents) {
  const auto dropped = find_drop(contents, packet());
  return dropped ? dropped->chain + " " + dropped->by : "";
}

TEST(ForwardVerdict, WalksAsTheKernelDoes) {
  const Prefix pods = prefix("10.244.0.0/16");
  const struct {
    const char* name;
    std::vector<Rule> rules;
    const char* dropped;
  } cases[] = {
      {"nothing", {}, ""},
      {"a drop", {rule().drop()}, "base rule 1"},
      {"a reject", {rule().counter(), rule().reject()}, "base rule 2"},
      {"an accept before it", {rule().source_in(pods).accept(), rule().drop()}, ""},
      {"an accept of others", {rule().source_not_in(pods).accept(), rule().drop()}, "base rule 2"},
      {"a drop of others", {rule().source_in(prefix("10.9.0.0/16")).drop()}, ""},
      {"devices",
       {rule().incoming_link_is("flannel*").outgoing_link_is("cni0").drop()},
       "base rule 1"},
      {"another device", {rule().incoming_link_is("eth0").drop()}, ""},
      {"IPv6 only", {rule().family_is(Family::kIpv6).drop()}, ""},
      {"a new connection",
       {rule().ct_state(ct_state::kEstablished).accept(), rule().drop()},
       "base rule 2"},
      {"an invalid one", {rule().ct_state(ct_state::kInvalid).drop()}, ""},
      {"a port",
       {rule().destination_port_is(L4Protocol::kTcp, 22).accept(), rule().drop()},
       "base rule 2"},
      {"a jump", {rule().jump("dropping")}, "dropping rule 2"},
      {"a jump that comes back", {rule().jump("returning"), rule().drop()}, "base rule 2"},
      {"a jump that accepts", {rule().jump("accepting"), rule().drop()}, ""},
      {"a goto that comes back", {rule().go_to("returning"), rule().drop()}, ""},
      {"a jump to nowhere", {rule().jump("nowhere"), rule().drop()}, "base rule 2"},
      {"a chain that leads to itself", {rule().jump("base")}, ""},
      // What cannot be known: an accept may save the packet, a drop may miss it.
      {"a rate of accepts", {rule().limit(10).accept(), rule().drop()}, ""},
      {"a rate of drops", {rule().limit(10).drop()}, ""},
      {"a match of iptables",
       {rule().expression(Opaque{.name = "match"}).accept(), rule().drop()},
       ""},
      {"a log", {rule().expression(Opaque{.name = "log"}), rule().drop()}, "base rule 2"},
  };
  for (const auto& [name, rules, dropped] : cases) EXPECT_EQ(where(table(rules)), dropped) << name;
  EXPECT_EQ(where(table({}, Policy::kDrop)), "base its policy");
  EXPECT_EQ(where(table({rule().source_in(pods).accept()}, Policy::kDrop)), "");
  EXPECT_EQ(where(table({rule().go_to("returning")}, Policy::kDrop)), "base its policy");
}

TEST(ForwardVerdict, LooksIntoSets) {
  const auto with_set = [](std::vector<Prefix> prefixes) {
    TableContents contents =
        table({rule().source_in_set(Family::kIpv4, "allowed").accept(), rule().drop()});
    contents.add(Set{.name = "allowed",
                     .flags = set_flags::kInterval,
                     .key_type = data_type::kIpv4Address,
                     .key_length = 4,
                     .elements = interval_elements(std::move(prefixes))});
    return where(contents);
  };
  EXPECT_EQ(with_set({prefix("10.244.0.0/16")}), "");
  EXPECT_EQ(with_set({prefix("10.0.0.0/16"), prefix("10.244.1.0/24"), prefix("192.0.2.0/24")}), "");
  EXPECT_EQ(with_set({prefix("10.0.0.0/16"), prefix("192.0.2.0/24")}), "base rule 2");
  EXPECT_EQ(with_set({}), "base rule 2");
  // A set that was not read hides nothing and accuses nobody.
  EXPECT_EQ(where(table({rule().source_in_set(Family::kIpv4, "gone").accept(), rule().drop()})),
            "");
}

TEST(ForwardVerdict, OtherHooksAreNoConcern) {
  TableContents contents = table({});
  contents.chains.at("base").hook->point = HookPoint::kInput;
  contents.rules["base"] = {rule().drop()};
  EXPECT_EQ(where(contents), "");
}

}  // namespace
}  // namespace weft::overlay
