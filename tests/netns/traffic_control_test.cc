// Disciplines and filters as we make them, read by tc, and as tc makes them, read by us.
#include "kernel/traffic_control.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/process.h"
#include "fresh_netns.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

Json shown_by_tc(std::vector<std::string> words) {
  words.insert(words.begin(), {"tc", "-j"});
  return must(parse_json(must(run_or_fail({.argv = std::move(words)}))));
}

void run_tc(std::vector<std::string> words) {
  words.insert(words.begin(), "tc");
  must(run_or_fail({.argv = std::move(words)}));
}

LinkIndex make_link(Rtnetlink& rtnetlink, const std::string& name, const std::string& kind) {
  NewLink link{.name = name, .kind = kind, .up = true};
  if (kind == "veth") link.peer = VethPeer{.name = name + "p"};
  must(rtnetlink.create(link));
  return must(rtnetlink.link(name))->index;
}

TEST(TrafficControl, TcReadsWhatWeMake) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const LinkIndex a = make_link(rtnetlink, "a", "veth");
    const LinkIndex ifb = make_link(rtnetlink, "b", "ifb");
    auto route = must(NetlinkSocket::open(NETLINK_ROUTE));
    const Qdisc bucket{.link = a,
                       .handle = TcHandle::kFirst,
                       .kind = "tbf",
                       .token_bucket = token_bucket(1'000'000, 65'536)};
    const Qdisc ingress{.link = a,
                        .handle = TcHandle::kIngress,
                        .parent = TcHandle::kIngressRoot,
                        .kind = "ingress"};
    must(route.request(encode_new_qdisc(bucket)));
    must(route.request(encode_new_qdisc(ingress)));
    EXPECT_EQ(route.request(encode_new_qdisc(ingress)).error().number, EEXIST);
    const RedirectFilter filter{.link = a, .target = ifb};
    must(route.request(encode_redirect(filter)));

    const Json qdiscs = shown_by_tc({"qdisc", "show", "dev", "a"});
    ASSERT_EQ(qdiscs.size(), 2U) << qdiscs;
    EXPECT_EQ(qdiscs[0]["kind"], "tbf");
    EXPECT_EQ(qdiscs[0]["handle"], "1:");
    EXPECT_EQ(qdiscs[0]["root"], true);
    EXPECT_EQ(qdiscs[0]["options"]["rate"], 1'000'000);
    EXPECT_EQ(qdiscs[0]["options"]["burst"], 65'536);
    EXPECT_EQ(qdiscs[0]["options"]["lat"], 25'000);
    EXPECT_EQ(qdiscs[1]["kind"], "ingress");
    const Json filters = shown_by_tc({"filter", "show", "dev", "a", "parent", "ffff:"});
    const Json& options = filters.back()["options"];
    EXPECT_EQ(filters.back()["protocol"], "all");
    EXPECT_EQ(filters.back()["pref"], 1);
    EXPECT_EQ(options["flowid"], "1:1") << filters;
    EXPECT_EQ(options["match"]["mask"], "0");
    EXPECT_EQ(options["actions"][0]["kind"], "mirred");
    EXPECT_EQ(options["actions"][0]["mirred_action"], "redirect");
    EXPECT_EQ(options["actions"][0]["direction"], "egress");
    EXPECT_EQ(options["actions"][0]["to_dev"], "b");

    EXPECT_EQ(must(list_redirects(route, a, TcHandle::kIngress)), std::vector{filter});
    EXPECT_EQ(must(list_qdiscs(route, a)), (std::vector{bucket, ingress}));
    must(route.request(encode_delete_qdisc(bucket)));
    must(route.request(encode_delete_qdisc(ingress)));
    EXPECT_FALSE(route.request(encode_delete_qdisc(ingress)));
    EXPECT_TRUE(must(list_redirects(route, a, TcHandle::kIngress)).empty());
  });
}

TEST(TrafficControl, WeReadWhatTcMakes) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const LinkIndex a = make_link(rtnetlink, "a", "veth");
    const LinkIndex ifb = make_link(rtnetlink, "b", "ifb");
    run_tc({"qdisc", "add", "dev", "a", "root", "handle", "1:", "tbf", "rate", "100gbit", "burst",
            "1mb", "limit", "2000000"});
    run_tc({"qdisc", "add", "dev", "a", "handle", "ffff:", "ingress"});
    run_tc({"filter", "add",    "dev",    "a",      "parent",   "ffff:", "protocol",
            "all",    "prio",   "1",      "u32",    "match",    "u32",   "0",
            "0",      "action", "mirred", "egress", "redirect", "dev",   "b"});
    run_tc({"filter",   "add",    "dev",    "a",      "parent",   "ffff:", "protocol",
            "all",      "prio",   "2",      "u32",    "match",    "ip",    "dst",
            "10.0.0.1", "action", "mirred", "egress", "redirect", "dev",   "b"});
    auto route = must(NetlinkSocket::open(NETLINK_ROUTE));
    const auto qdiscs = must(list_qdiscs(route, a));
    ASSERT_EQ(qdiscs.size(), 2U);
    ASSERT_TRUE(qdiscs[0].token_bucket);
    EXPECT_EQ(qdiscs[0].token_bucket->rate, 12'500'000'000U);
    EXPECT_EQ(qdiscs[0].token_bucket->limit, 2'000'000U);
    EXPECT_EQ(must(list_redirects(route, a, TcHandle::kIngress)),
              (std::vector{RedirectFilter{.link = a, .target = ifb}}));
  });
}

}  // namespace
}  // namespace weft::kernel
