#include "kernel/nftables.h"

#include <endian.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "base/process.h"
#include "base/text.h"
#include "fresh_netns.h"
#include "net/nft_rules.h"

namespace weft::kernel {
namespace {

using namespace nft;
using test::in_fresh_netns;
using test::must;

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

// Stock nft, which a child of this thread runs in this thread's namespace.
std::string nft_says(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), "nft");
  return must(run_or_fail({.argv = std::move(arguments), .input = input}));
}

const char* hook_of(const std::string& type, HookPoint point) {
  if (type == "nat") return point == HookPoint::kPrerouting ? "prerouting" : "postrouting";
  return "input";
}

// One rule, as we write it and as a person types it.
struct Case {
  const char* name;
  TableFamily family;
  std::function<Rule(RuleWriter)> ours;
  std::string theirs;
  const char* type = "filter";
  HookPoint point = HookPoint::kInput;
};

void PrintTo(const Case& each, std::ostream* out) {
  *out << each.theirs;
}

using W = RuleWriter;
const MacAddress kMac = MacAddress::parse("02:00:00:00:00:01").value();
const IpAddress kV4 = IpAddress::parse("192.0.2.1").value();
const IpAddress kV6 = IpAddress::parse("2001:db8::1").value();

const std::vector<Case>& cases() {
  using F = TableFamily;
  constexpr auto kPost = HookPoint::kPostrouting;
  constexpr auto kPre = HookPoint::kPrerouting;
  static const std::vector<Case> kCases{
      {"whole_bytes", F::kIp, [](W w) { return w.source_in(prefix("10.4.0.0/16")).accept(); },
       "ip saddr 10.4.0.0/16 accept"},
      {"odd_bits", F::kIp, [](W w) { return w.source_in(prefix("10.4.0.0/17")).drop(); },
       "ip saddr 10.4.0.0/17 drop"},
      {"host", F::kIp, [](W w) { return w.destination_in(prefix("10.4.0.1/32")).accept(); },
       "ip daddr 10.4.0.1 accept"},
      {"all", F::kIp, [](W w) { return w.destination_in(prefix("0.0.0.0/0")).accept(); },
       "ip daddr 0.0.0.0/0 accept"},
      {"masquerade_what_leaves", F::kIp,
       [](W w) {
         return w.source_in(prefix("10.4.0.0/16"))
             .destination_not_in(prefix("224.0.0.0/4"))
             .counter()
             .masquerade({.fully_random = true});
       },
       "ip saddr 10.4.0.0/16 ip daddr != 224.0.0.0/4 counter masquerade fully-random", "nat",
       kPost},
      {"masquerade", F::kIp6, [](W w) { return w.masquerade(); }, "masquerade", "nat", kPost},
      {"masquerade_flags", F::kIp,
       [](W w) { return w.masquerade({.random = true, .persistent = true}); },
       "masquerade random,persistent", "nat", kPost},
      {"v6", F::kIp6,
       [](W w) {
         return w.source_not_in(prefix("fd00::/61"))
             .destination_not_in(prefix("ff00::/8"))
             .accept();
       },
       "ip6 saddr != fd00::/61 ip6 daddr != ff00::/8 accept"},
      {"inet_v4", F::kInet,
       [](W w) {
         return w.source_in(prefix("10.4.0.0/16"))
             .destination_not_in(prefix("10.4.0.9/32"))
             .return_from_chain()
             .comment("back home");
       },
       "ip saddr 10.4.0.0/16 ip daddr != 10.4.0.9 return comment \"back home\""},
      {"inet_v6", F::kInet, [](W w) { return w.destination_in(prefix("ff00::/8")).accept(); },
       "ip6 daddr ff00::/8 accept"},
      {"inet_family", F::kInet, [](W w) { return w.family_is(Family::kIpv4).masquerade(); },
       "meta nfproto ipv4 masquerade", "nat", kPost},
      {"mark", F::kIp, [](W w) { return w.mark_is(0x4000, 0x4000).return_from_chain(); },
       "meta mark & 0x4000 == 0x4000 return"},
      {"mark_not", F::kIp, [](W w) { return w.mark_is_not(0x4000, 0xff00).accept(); },
       "meta mark & 0xff00 != 0x4000 accept"},
      {"whole_mark", F::kInet, [](W w) { return w.mark_is(7).accept(); }, "meta mark 7 accept"},
      {"links", F::kInet,
       [](W w) {
         return w.incoming_link_is("flannel.1").outgoing_link_is_not("cni0").jump("first");
       },
       "iifname \"flannel.1\" oifname != \"cni0\" jump first"},
      {"link_wildcard", F::kInet, [](W w) { return w.incoming_link_is("veth*").go_to("first"); },
       "iifname \"veth*\" goto first"},
      {"ct_state", F::kInet,
       [](W w) { return w.ct_state(ct_state::kEstablished | ct_state::kRelated).accept(); },
       "ct state established,related accept"},
      {"ct_status", F::kIp, [](W w) { return w.ct_status(0x20).accept(); },
       "ct status dnat accept"},
      {"spoof_check", F::kBridge,
       [](W w) { return w.incoming_link_is("veth0").ether_source_is_not(kMac).drop(); },
       "iifname \"veth0\" ether saddr != 02:00:00:00:00:01 drop"},
      {"bridge_ip", F::kBridge,
       [](W w) {
         return w.source_in(prefix("10.4.0.0/16"))
             .destination_port_is(L4Protocol::kTcp, 80)
             .accept();
       },
       "ip saddr 10.4.0.0/16 tcp dport 80 accept"},
      {"ether_in_ip", F::kIp, [](W w) { return w.ether_source_is(kMac).accept(); },
       "ether saddr 02:00:00:00:00:01 accept"},
      {"source_port", F::kInet, [](W w) { return w.source_port_is(L4Protocol::kUdp, 53).accept(); },
       "udp sport 53 accept"},
      {"local", F::kIp,
       [](W w) {
         return w.destination_is_local().destination_port_is(L4Protocol::kTcp, 8080).dnat(kV4, 80);
       },
       "fib daddr type local tcp dport 8080 dnat to 192.0.2.1:80", "nat", kPre},
      {"dnat_inet", F::kInet,
       [](W w) { return w.destination_port_is(L4Protocol::kTcp, 8080).dnat(kV6, 80); },
       "tcp dport 8080 dnat ip6 to [2001:db8::1]:80", "nat", kPre},
      {"snat", F::kIp, [](W w) { return w.snat(kV4, {.random = true}); },
       "snat to 192.0.2.1 random", "nat", kPost},
      {"redirect", F::kIp,
       [](W w) { return w.destination_port_is(L4Protocol::kTcp, 80).redirect_to_port(8080); },
       "tcp dport 80 redirect to :8080", "nat", kPre},
      {"set_mark", F::kIp, [](W w) { return w.set_mark(0x4000); }, "meta mark set 0x4000"},
      {"add_to_mark", F::kIp, [](W w) { return w.add_to_mark(0x4000); },
       "meta mark set meta mark | 0x4000"},
      {"limit", F::kIp, [](W w) { return w.limit(5).accept(); }, "limit rate 5/second accept"},
      {"reject", F::kIp, [](W w) { return w.reject(); }, "reject"},
      {"reject6", F::kIp6, [](W w) { return w.reject(); }, "reject"},
      {"reject_inet", F::kInet, [](W w) { return w.reject(); }, "reject"},
      {"reject_inet_v4", F::kInet, [](W w) { return w.source_in(prefix("10.0.0.1/32")).reject(); },
       "ip saddr 10.0.0.1 reject"},
  };
  return kCases;
}

class RuleText : public testing::TestWithParam<Case> {};

// The same rule by us and by stock nft: same text, same expressions, in the same namespace.
TEST_P(RuleText, IsWhatNftWrites) {
  in_fresh_netns([](Rtnetlink&) {
    const Case& c = GetParam();
    auto nftables = must(Nftables::open());
    const Hook hook{.type = c.type, .point = c.point, .priority = 0};
    TableContents ours{.table = {.id = {c.family, "t"}}};
    ours.add(Chain{.name = "first"});
    ours.add(Chain{.name = "main", .hook = hook}, {c.ours(RuleWriter(c.family))});
    must(nftables.apply(ours));
    const std::string our_text = nft_says({"-n", "list", "ruleset"});
    const auto our_reading = must(nftables.read(ours.table.id)).value();
    EXPECT_EQ(our_reading.rules, ours.rules);
    must(nftables.remove_table(ours.table.id));

    nft_says({"-f", "-"}, "table " + ours.table.id.to_string() +
                              " {\n chain first {}\n chain main { type " + c.type + " hook " +
                              hook_of(c.type, c.point) + " priority 0; policy accept;\n " +
                              c.theirs + "\n }\n}\n");
    EXPECT_EQ(our_text, nft_says({"-n", "list", "ruleset"}));
    const auto their_reading = must(nftables.read(ours.table.id)).value();
    EXPECT_EQ(our_reading.rules, their_reading.rules);
    EXPECT_EQ(our_reading.chains, their_reading.chains);
    EXPECT_TRUE(must(nftables.apply(ours)).empty());
  });
}

INSTANTIATE_TEST_SUITE_P(Nftables, RuleText, testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string(each.param.name); });

// flanneld's table of one family.
TableContents masquerade_table() {
  const Prefix pods = prefix("10.244.0.0/16");
  TableContents contents{
      .table = {.id = {TableFamily::kIp, "flannel-ipv4"}, .comment = "rules for pods"}};
  const auto rule = [] { return RuleWriter(TableFamily::kIp); };
  contents.add(Chain{.name = "forward", .hook = Hook{.point = HookPoint::kForward}},
               {rule().source_in(pods).accept(), rule().destination_in(pods).accept()});
  contents.add(Chain{.name = "postrtg",
                     .hook = Hook{.type = "nat",
                                  .point = HookPoint::kPostrouting,
                                  .priority = priority::kSrcNat}},
               {rule().mark_is(0x4000, 0x4000).return_from_chain(),
                rule().source_in(pods).destination_in(pods).return_from_chain(),
                rule().source_in(pods).destination_not_in(prefix("224.0.0.0/4")).masquerade(),
                rule().source_not_in(pods).destination_in(pods).masquerade()});
  return contents;
}

using Words = std::vector<std::string>;

TEST(Nftables, ATableThatIsNotThereIsNothing) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    EXPECT_FALSE(must(nftables.read({TableFamily::kIp, "t"})).has_value());
    EXPECT_TRUE(must(nftables.tables()).empty());
    must(nftables.remove_table({TableFamily::kIp, "t"}));
  });
}

TEST(Nftables, AppliedTwiceItEditsOnce) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    const auto desired = masquerade_table();
    EXPECT_EQ(must(nftables.apply(desired)).size(), 1U + 2U + 6U);
    EXPECT_EQ(must(nftables.read(desired.table.id)), desired);
    EXPECT_EQ(must(nftables.tables()), std::vector{desired.table});
    const auto generation = must(nftables.generation());
    EXPECT_EQ(must(nftables.apply(desired)), Words{});
    EXPECT_EQ(must(nftables.generation()), generation);
  });
}

TEST(Nftables, WhatOthersDidIsRepairedWithFewEdits) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    const auto desired = masquerade_table();
    must(nftables.apply(desired));
    const auto handle_of = [&](const char* chain, std::size_t index) {
      return std::to_string(must(nftables.read(desired.table.id))->rules.at(chain)[index].handle);
    };

    nft_says(
        {"delete", "rule", "ip", "flannel-ipv4", "postrtg", "handle", handle_of("postrtg", 1)});
    EXPECT_EQ(must(nftables.apply(desired)), Words{"rule 2 of postrtg: put (missing)"});

    nft_says({"insert", "rule", "ip", "flannel-ipv4", "postrtg", "drop"});
    EXPECT_EQ(must(nftables.apply(desired)), Words{"rule 1 of postrtg: removed"});

    nft_says({"replace", "rule", "ip", "flannel-ipv4", "postrtg", "handle", handle_of("postrtg", 2),
              "accept"});
    EXPECT_EQ(must(nftables.apply(desired)), Words{"rule 3 of postrtg: replaced"});

    nft_says({"add", "chain", "ip", "flannel-ipv4", "foreign"});
    nft_says({"add", "rule", "ip", "flannel-ipv4", "foreign", "accept"});
    nft_says({"insert", "rule", "ip", "flannel-ipv4", "forward", "jump", "foreign"});
    EXPECT_EQ(must(nftables.apply(desired)),
              (Words{"rule 1 of forward: removed", "rule 1 of foreign: removed",
                     "chain foreign: removed"}));

    nft_says({"flush", "chain", "ip", "flannel-ipv4", "forward"});
    EXPECT_EQ(must(nftables.apply(desired)),
              (Words{"rule 1 of forward: put (missing)", "rule 2 of forward: put (missing)"}));

    nft_says({"chain", "ip", "flannel-ipv4", "forward", "{ policy drop; }"});
    EXPECT_EQ(must(nftables.apply(desired)), Words{"chain forward: put (policy differed)"});

    nft_says({"flush", "ruleset"});
    EXPECT_EQ(must(nftables.apply(desired)).size(), 1U + 2U + 6U);
    EXPECT_EQ(must(nftables.read(desired.table.id)), desired);
  });
}

void send_a_packet_to_ourselves() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htobe16(9);
  to.sin_addr.s_addr = htobe32(INADDR_LOOPBACK);
  ASSERT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 1);
}

TEST(Nftables, RulesThatStayKeepTheirCounters) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    TableContents desired{.table = {.id = {TableFamily::kIp, "t"}}};
    const auto rule = [] { return RuleWriter(TableFamily::kIp); };
    desired.add(Chain{.name = "in", .hook = Hook{.point = HookPoint::kInput}},
                {rule().counter().accept()});
    must(nftables.apply(desired));
    send_a_packet_to_ourselves();
    desired.rules["in"].insert(desired.rules["in"].begin(), rule().mark_is(7).drop());
    must(nftables.apply(desired));
    const auto rules = must(nftables.read(desired.table.id))->rules.at("in");
    ASSERT_EQ(rules, desired.rules["in"]);
    EXPECT_GT(std::get<Counter>(rules[1].expressions[0]).packets, 0U);
  });
}

TEST(Nftables, AnotherHookMakesTheTableAnewInOneTransaction) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    auto desired = masquerade_table();
    must(nftables.apply(desired));
    const auto generation = must(nftables.generation());
    desired.chains["forward"].hook->priority = 5;
    const auto words = must(nftables.apply(desired));
    ASSERT_FALSE(words.empty());
    EXPECT_EQ(words[0], "table ip flannel-ipv4: made anew (the hook of chain forward differs)");
    EXPECT_EQ(must(nftables.read(desired.table.id)), desired);
    EXPECT_EQ(must(nftables.generation()), generation + 1);
  });
}

Set port_map() {
  return {.name = "ports",
          .flags = set_flags::kMap,
          .key_type = data_type::concatenation(data_type::kInetProtocol, data_type::kInetService),
          .key_length = 8,
          .data_type = data_type::kVerdict,
          .comment = "who takes what"};
}
Element port_element(std::uint16_t port, const char* chain) {
  return {.key = concatenate({Bytes(1, '\x06'), network_order(port)}),
          .data = Verdict{.code = Verdict::Code::kGoto, .chain = chain}};
}

TEST(Nftables, AThousandElementsAndTheirDifferences) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    TableContents desired{.table = {.id = {TableFamily::kInet, "t"}}};
    desired.add(Chain{.name = "a"});
    desired.add(Chain{.name = "b"});
    Set map = port_map();
    for (std::uint16_t port = 1; port <= 1000; ++port)
      map.elements.push_back(port_element(port, "a"));
    desired.add(map);
    must(nftables.apply(desired));
    EXPECT_EQ(must(nftables.read(desired.table.id))->sets.at("ports").elements.size(), 1000U);
    EXPECT_EQ(must(nftables.apply(desired)), Words{});
    const std::string text = nft_says({"-n", "list", "map", "inet", "t", "ports"});
    EXPECT_NE(text.find("type inet_proto . inet_service : verdict"), std::string::npos) << text;
    EXPECT_NE(text.find("comment \"who takes what\""), std::string::npos) << text;
    EXPECT_NE(text.find("6 . 1000 : goto a"), std::string::npos) << text;

    auto& elements = desired.sets["ports"].elements;
    elements[7] = port_element(8, "b");
    elements.pop_back();
    EXPECT_EQ(must(nftables.apply(desired)),
              (Words{"set ports: 2 elements removed", "set ports: 1 element put"}));
    nft_says({"delete", "element", "inet", "t", "ports", "{ tcp . 5 }"});
    EXPECT_EQ(must(nftables.apply(desired)), Words{"set ports: 1 element put"});
    EXPECT_EQ(must(nftables.apply(desired)), Words{});
  });
}

TEST(Nftables, IntervalSetsReadAsNftWroteThem) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    TableContents desired{.table = {.id = {TableFamily::kIp, "t"}}};
    Set set{.name = "nets",
            .flags = set_flags::kInterval,
            .key_type = data_type::kIpv4Address,
            .key_length = 4};
    set.elements = interval_elements(
        {prefix("10.0.0.0/8"), prefix("1.2.3.4/32"), prefix("240.0.0.0/4"), prefix("10.1.0.0/16")});
    desired.add(set);
    desired.add(
        Chain{.name = "c"},
        {RuleWriter(TableFamily::kIp).source_in_set(Family::kIpv4, "nets").accept(),
         RuleWriter(TableFamily::kIp).destination_in_set(Family::kIpv4, "nets", true).accept()});
    must(nftables.apply(desired));
    const auto ours = must(nftables.read(desired.table.id)).value();
    const std::string text = nft_says({"list", "ruleset"});
    must(nftables.remove_table(desired.table.id));
    nft_says({"-f", "-"},
             "table ip t {\n set nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, "
             "1.2.3.4, 240.0.0.0/4 } }\n chain c { ip saddr @nets accept\n ip daddr != @nets "
             "accept\n}\n}\n");
    EXPECT_EQ(nft_says({"list", "ruleset"}), text);
    EXPECT_EQ(must(nftables.apply(desired)), Words{}) << text;
    EXPECT_EQ(must(nftables.read(desired.table.id))->sets, ours.sets);

    desired.sets["nets"].elements = interval_elements({prefix("10.0.0.0/9")});
    EXPECT_EQ(must(nftables.apply(desired)),
              (Words{"set nets: emptied", "set nets: 3 elements put"}));
    EXPECT_EQ(must(nftables.apply(desired)), Words{});
  });
}

TEST(Nftables, AHundredThousandElementsFitOneTransaction) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    Set set{.name = "all", .key_type = data_type::kIpv4Address, .key_length = 4};
    for (std::uint32_t i = 0; i < 100'000; ++i)
      set.elements.push_back({.key = Bytes(IpAddress::v4(0x0a000000U + i).bytes())});
    TableContents desired{.table = {.id = {TableFamily::kIp, "t"}}};
    desired.add(set);
    const auto generation = must(nftables.generation());
    must(nftables.apply(desired));
    EXPECT_EQ(must(nftables.generation()), generation + 1);
    EXPECT_EQ(must(nftables.apply(desired)), Words{});
  });
}

// A million clients that the packet path remembers would be listed for a minute.
TEST(Nftables, ChangesArePlannedWithoutTheElementsOfDynamicSets) {
  in_fresh_netns([](Rtnetlink&) {
    nft_says({"-f", "-"}, R"(table ip t {
      set seen { type ipv4_addr; flags dynamic; size 8; elements = { 192.0.2.1 }; }
      set fixed { type ipv4_addr; elements = { 192.0.2.2 }; }
    })");
    auto nftables = must(Nftables::open());
    const TableId table{TableFamily::kIp, "t"};
    must(nftables.change(table, [](const auto& contents, Transaction&) {
      EXPECT_TRUE(contents->sets.at("seen").elements.empty());
      EXPECT_EQ(contents->sets.at("fixed").elements.size(), 1U);
    }));
    EXPECT_EQ(must(nftables.read(table))->sets.at("seen").elements.size(), 1U)
        << "who asks what is there learns all of it";
  });
}

TEST(Nftables, ForeignRulesAreReadWhatEverTheySay) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    nft_says(
        {"-f", "-"},
        "table ip t {\n chain c { type filter hook forward priority 0;\n tcp flags syn tcp option "
        "maxseg size set rt mtu\n tcp dport { 80, 443 } log prefix \"x\" accept\n ct original "
        "ip daddr 192.0.2.1 accept\n numgen random mod 10 < 5 accept\n}\n}\n");
    for (const auto& rule : {"-p tcp -m multiport --dports 1,2 -j REJECT", "-m limit -j LOG",
                             "-m comment --comment hello -j ACCEPT"}) {
      std::vector<std::string> argv{"iptables-nft", "-A", "INPUT"};
      for (const auto& word : split(rule, ' ')) argv.push_back(word);
      must(run_or_fail({.argv = argv}));
    }
    const auto ours = must(nftables.read({TableFamily::kIp, "t"})).value();
    EXPECT_EQ(ours.rules.at("c").size(), 4U);
    const auto foreign = must(nftables.read({TableFamily::kIp, "filter"})).value();
    ASSERT_EQ(foreign.rules.at("INPUT").size(), 3U);
    EXPECT_EQ(must(nftables.apply(foreign)), Words{});
  });
}

TEST(Nftables, AFailedTransactionChangesNothingAndNamesTheObject) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    const TableId table{TableFamily::kIp, "t"};
    Transaction transaction;
    transaction.put_table({.id = table});
    transaction.put_chain(table, {.name = "c"});
    transaction.append_rule(table, "c", RuleWriter(TableFamily::kIp).jump("nowhere"));
    const Status status = nftables.commit(std::move(transaction));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().number, ENOENT);
    EXPECT_EQ(status.error().what.find("adding a rule to chain c of table ip t: "), 0U)
        << status.error().text();
    EXPECT_FALSE(must(nftables.read(table)).has_value());
  });
}

TEST(Nftables, ATransactionPlannedOnAnOldGenerationIsRefused) {
  in_fresh_netns([](Rtnetlink&) {
    auto nftables = must(Nftables::open());
    const auto generation = must(nftables.generation());
    nft_says({"add", "table", "ip", "first"});
    Transaction transaction;
    transaction.put_table({.id = {TableFamily::kIp, "t"}});
    const Status status = nftables.commit(std::move(transaction), generation);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().number, ERESTART);
  });
}

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/thread-self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(LateClose, SocketsStayOpenUntilTheOutermostOneEnds) {
  in_fresh_netns([](Rtnetlink&) {
    const std::size_t before = open_files();
    {
      const LateClose outer;
      {
        const LateClose inner;
        must(Nftables::open());
        must(Nftables::open());
        EXPECT_EQ(open_files(), before + 2);
      }
      EXPECT_EQ(open_files(), before + 2);
    }
    EXPECT_EQ(open_files(), before);
    must(Nftables::open());
    EXPECT_EQ(open_files(), before);
  });
}

}  // namespace
}  // namespace weft::kernel
