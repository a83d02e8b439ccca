#include "cluster/search_walk.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

const ResolvConf kPod = {.searches = {"lg.svc.cluster.local", "svc.cluster.local", "cluster.local"},
                         .options = {"ndots:5"}};

// The names, one after the other; "!" behind one that no question can hold.
std::string walked(const ResolvConf& file, const std::string& name) {
  std::string text;
  for (const NameToTry& each : names_to_try(file, name))
    text += (text.empty() ? "" : " ") + each.name + (each.is_too_long ? "!" : "");
  return text;
}

TEST(SearchWalk, DotsDecideWhetherTheSearchComesFirst) {
  struct Case {
    const char* name;
    const char* expected;
  };
  const Case cases[] = {
      {"redis", "redis.lg.svc.cluster.local. redis.svc.cluster.local. redis.cluster.local. redis."},
      {"_dns._udp.kube-dns.kube-system.svc",
       "_dns._udp.kube-dns.kube-system.svc.lg.svc.cluster.local. "
       "_dns._udp.kube-dns.kube-system.svc.svc.cluster.local. "
       "_dns._udp.kube-dns.kube-system.svc.cluster.local. _dns._udp.kube-dns.kube-system.svc."},
      {"a.b.c.d.e.f",
       "a.b.c.d.e.f. a.b.c.d.e.f.lg.svc.cluster.local. a.b.c.d.e.f.svc.cluster.local. "
       "a.b.c.d.e.f.cluster.local."},
      {"www.example.com.", "www.example.com."},
      {".", "."},
      {"", ""},
  };
  for (const auto& [name, expected] : cases) EXPECT_EQ(walked(kPod, name), expected) << name;
}

TEST(SearchWalk, WithoutOptionsOneDotIsEnough) {
  const ResolvConf file = {.searches = {"corp.example"}};
  EXPECT_EQ(walked(file, "redis"), "redis.corp.example. redis.");
  EXPECT_EQ(walked(file, "www.example"), "www.example. www.example.corp.example.");
  EXPECT_EQ(walked({}, "redis"), "redis.");
}

TEST(SearchWalk, TheRootAmongTheDomainsIsTheNameAsItIs) {
  const ResolvConf file = {.searches = {".", "corp.example"}};
  EXPECT_EQ(walked(file, "redis"), "redis. redis.corp.example.");
  EXPECT_EQ(walked(file, "www.example"), "www.example. www.example.corp.example.");
}

TEST(SearchWalk, ANameThatIsTooLongEndsTheSearch) {
  const std::string label(60, 'a');
  const std::string name = label + "." + label + "." + label + "." + label;  // 243 letters
  EXPECT_EQ(walked(kPod, name), name + ".lg.svc.cluster.local.! " + name + ".");
  EXPECT_EQ(walked({.searches = {"x"}, .options = {"ndots:9"}}, name), name + ".x. " + name + ".");
  EXPECT_EQ(walked({}, std::string(64, 'a')), std::string(64, 'a') + ".!");
}

TEST(SearchWalk, TheLastNdotsCountsAndHasALimit) {
  EXPECT_EQ(ndots_of({}), 1U);
  EXPECT_EQ(ndots_of({.options = {"ndots:5", "edns0", "ndots:2"}}), 2U);
  EXPECT_EQ(ndots_of({.options = {"ndots:0"}}), 0U);
  EXPECT_EQ(ndots_of({.options = {"ndots:99"}}), 15U);
  EXPECT_EQ(ndots_of({.options = {"ndots:many"}}), 1U);
}

TEST(SearchWalk, EachNameHasItsReason) {
  const auto names = names_to_try(kPod, "redis");
  ASSERT_EQ(names.size(), 4U);
  EXPECT_EQ(names[0].reason, "in lg.svc.cluster.local");
  EXPECT_EQ(names[3].reason, "as it is: 0 dots, ndots:5, after the search");
  EXPECT_EQ(names_to_try(kPod, "redis.")[0].reason, "as it is: it ends with a dot");
  EXPECT_EQ(names_to_try({}, "a.b")[0].reason, "as it is: it has 1 dot, ndots:1");
  EXPECT_EQ(names_to_try({}, "a")[0].reason, "as it is: there is no search domain");
}

}  // namespace
}  // namespace weft
