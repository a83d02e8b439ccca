// Nftables mode as a proxy uses it: start, changes, restart, repair.
#include <atomic>

#include <gtest/gtest.h>

#include "kernel/monitor.h"
#include "service/nftables_mode.h"
#include "support/eventually.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::eventually;
using weft::test::hears_nothing;
using weft::test::must;
using weft::test::ServiceLab;

using Words = std::vector<std::string>;
const std::vector<Family> kFamilies{Family::kIpv4, Family::kIpv6};

class NftablesModeTest : public testing::Test {
 protected:
  NftablesMode open() {
    return lab_.node.in([] {
      return must(NftablesMode::open({{.family = Family::kIpv4}, {.family = Family::kIpv6}}));
    });
  }
  // The Service shop/web with these pods, as its store would say.
  void put(const std::vector<std::string>& pods) {
    std::vector<Endpoint> endpoints;
    for (const auto& pod : pods) endpoints.push_back(endpoint(pod, "here"));
    board_.put(inner());
    board_.put(slice(endpoints));
  }
  // A service of every number below 10.96.N.N, with five endpoints each.
  void put_many(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = "many-" + std::to_string(i);
      Service service = inner();
      service.name.name = name;
      service.cluster_ips = {IpAddress::v4(0x0a610000U + static_cast<std::uint32_t>(i))};
      board_.put(service);
      std::vector<Endpoint> endpoints;
      for (std::uint32_t pod = 0; pod < 5; ++pod)
        endpoints.push_back(
            {.addresses = {IpAddress::v4(0x0af60000U + static_cast<std::uint32_t>(i) * 5 + pod)}});
      EndpointSlice of_service = slice(endpoints, name + "-1");
      of_service.service = name;
      board_.put(of_service);
    }
  }
  std::vector<PlannedService> changed() {
    return plan_services(board_, board_.take_changed(), kFamilies, {.node = kHere});
  }
  std::string answer() { return ask(lab_.pod_client, web_address(), 80).substr(0, 8); }
  static IpAddress web_address() { return VerdictAddresses::of(Family::kIpv4).cluster; }
  std::uint32_t generation() {
    return lab_.node.in([] { return must(must(kernel::Nftables::open()).generation()); });
  }

  ServiceLab lab_{Family::kIpv4};
  ServiceBoard board_{kHere};
};

TEST_F(NftablesModeTest, FollowsWhatChanges) {
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  EXPECT_EQ(answer(), "here 10.");
  put({"10.244.1.11"});
  must(mode.apply(changed()));
  EXPECT_EQ(answer(), "here-too");
  EXPECT_EQ(must(mode.repair()), Words{});
  board_.remove_service(web().name);
  must(mode.apply(changed()));
  EXPECT_TRUE(hears_nothing(lab_.pod_client, web_address(), 80));
  EXPECT_EQ(must(mode.repair()), Words{});
}

TEST_F(NftablesModeTest, ARestartWritesNothing) {
  put({"10.244.1.10", "10.244.1.11"});
  board_.put(with(exposed(), [](Service& s) {
    s.name.name = "sticky";
    s.cluster_ips = {ip("10.96.0.99")};
    s.client_affinity = std::chrono::seconds(60);
  }));
  const auto services = changed();
  must(open().start(services));
  const auto before = generation();
  must(open().start(services));
  EXPECT_EQ(generation(), before);
}

TEST_F(NftablesModeTest, ARestartWritesWhatChangedMeanwhileAndFlushesNothing) {
  put({"10.244.1.10", "10.244.1.11"});
  must(open().start(changed()));
  put({"10.244.1.11"});
  NftablesMode again = open();
  must(again.start(changed()));
  EXPECT_EQ(answer(), "here-too");
  EXPECT_EQ(must(again.repair()), Words{});
}

TEST_F(NftablesModeTest, LargeTablesComeInPortionsAndAreWhole) {
  put({"10.244.1.10"});
  put_many(3000);
  NftablesMode mode = open();
  const auto before = generation();
  must(mode.start(changed()));
  EXPECT_GT(generation(), before + 2);
  EXPECT_EQ(must(mode.repair()), Words{});
  EXPECT_EQ(answer(), "here 10.");
  // All of them change at once.
  for (int i = 0; i < 3000; ++i) board_.remove_slice("shop", "many-" + std::to_string(i) + "-1");
  must(mode.apply(changed()));
  EXPECT_EQ(must(mode.repair()), Words{});
  EXPECT_EQ(ask(lab_.pod_client, IpAddress::v4(0x0a610005U), 80), "refused");
}

TEST_F(NftablesModeTest, OtherOptionsCostWhatTheyChange) {
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  std::vector<RuleOptions> options{{.family = Family::kIpv4}};
  const auto before = generation();
  must(mode.set_options(options));
  EXPECT_EQ(generation(), before);
  // Rules, and a set for them.
  options[0].node_port_addresses = {ip("192.0.2.1")};
  options[0].masquerade_all = true;
  must(mode.set_options(options));
  EXPECT_GT(generation(), before);
  EXPECT_EQ(must(mode.repair()), Words{});
  // An element alone.
  const auto middle = generation();
  options[0].node_port_addresses = {ip("192.0.2.1"), ip("198.51.100.7")};
  must(mode.set_options(options));
  EXPECT_EQ(generation(), middle + 1);
  EXPECT_EQ(must(mode.repair()), Words{});
  EXPECT_EQ(answer(), "here 10.");
  lab_.node.sh("nft flush ruleset");
  options[0].node_port_addresses = {ip("192.0.2.1")};
  EXPECT_FALSE(mode.set_options(options));
  EXPECT_FALSE(must(mode.repair()).empty());
  EXPECT_EQ(answer(), "here 10.");
}

TEST_F(NftablesModeTest, AForeignFlushIsToldAndRepairedAndOwnWritesAreNoNews) {
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  std::atomic<int> told = 0;
  const auto monitor = lab_.node.in([&] {
    return must(kernel::Monitor::start(
        {kernel::Topic::kNftables},
        [&](const kernel::KernelEvent& event) {
          if (event.topic == kernel::Topic::kLost || mode.is_concerned(event)) ++told;
        },
        0, must(mode.port())));
  });
  put({"10.244.1.11"});
  must(mode.apply(changed()));
  // An event of another table comes behind those that might have come.
  lab_.node.sh("nft flush map ip weft-services services");
  EXPECT_TRUE(eventually([&] { return told > 0; }));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(must(mode.repair()), Words{"ip weft-services: set services: 1 element put"});
  lab_.node.sh("nft flush ruleset");
  EXPECT_TRUE(eventually([&] { return told > 1; }));
  EXPECT_FALSE(must(mode.repair()).empty());
  EXPECT_EQ(answer(), "here-too");
}

TEST_F(NftablesModeTest, AnEditThatTheKernelRefusesIsAnErrorAndRepairMendsIt) {
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  lab_.node.sh("nft delete table ip weft-services");
  put({"10.244.1.11"});
  const Status refused = mode.apply(changed());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("weft-services"), std::string::npos)
      << refused.error().text();
  EXPECT_FALSE(must(mode.repair()).empty());
  EXPECT_EQ(answer(), "here-too");
}

TEST_F(NftablesModeTest, ATableOfAnotherLayoutIsMadeAnew) {
  lab_.node.run({"nft", "-f", "-"},
                "table ip weft-services {\n map services { type ipv4_addr : mark; }\n}\n");
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  EXPECT_EQ(answer(), "here 10.");
}

TEST_F(NftablesModeTest, TakesItsTablesAwayAndNoOthers) {
  lab_.node.sh("nft add table ip other");
  put({"10.244.1.10"});
  NftablesMode mode = open();
  must(mode.start(changed()));
  must(mode.remove());
  EXPECT_EQ(lab_.node.sh("nft list tables"), "table ip other\n");
  must(mode.remove());
}

}  // namespace
}  // namespace weft::service
