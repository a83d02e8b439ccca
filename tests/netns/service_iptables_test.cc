// Iptables mode as a proxy uses it: start, changes, restart, repair, and what it leaves alone.
#include <cstdlib>

#include <gtest/gtest.h>

#include "kernel/sysctl.h"
#include "service/iptables_mode.h"
#include "support/eventually.h"
#include "support/service_node.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::hears_nothing;
using weft::test::must;
using weft::test::ServiceLab;
using Words = std::vector<std::string>;

// No program is found as long as it lives.
class NoPrograms {
 public:
  NoPrograms() { ::setenv("PATH", "/nowhere", 1); }
  ~NoPrograms() { ::setenv("PATH", path_.c_str(), 1); }
  NoPrograms(const NoPrograms&) = delete;
  NoPrograms& operator=(const NoPrograms&) = delete;

 private:
  const std::string path_ = std::getenv("PATH");
};

class IptablesModeTest : public testing::TestWithParam<const char*> {
 protected:
  std::string program(const std::string& part = "") const {
    return std::string("iptables-") + GetParam() + part;
  }
  std::unique_ptr<IptablesMode> open(bool localhost = false) {
    return lab_.node.in([&] {
      return std::make_unique<IptablesMode>(
          must(IptablesMode::open({rule_options(Family::kIpv4)},
                                  {.localhost_node_ports = localhost, .flavour = GetParam()})));
    });
  }
  // The Service shop/web with every front and these pods, as a store would say.
  std::vector<PlannedService> web_with(const std::vector<std::string>& pods) const {
    std::vector<Endpoint> endpoints;
    for (const auto& pod : pods) endpoints.push_back(endpoint(pod, "here"));
    PlannedService service{.name = web().name};
    service.plans.emplace(Family::kIpv4, plan(exposed(), {slice(endpoints)}));
    return {service};
  }
  void start(IptablesMode& mode, const std::vector<PlannedService>& services) {
    lab_.node.in([&] { must(mode.start(services)); });
  }
  void apply(IptablesMode& mode, const std::vector<PlannedService>& services) {
    lab_.node.in([&] { must(mode.apply(services)); });
  }
  Result<Words> repair(IptablesMode& mode) {
    return lab_.node.in([&] { return mode.repair(); });
  }
  std::string answer() { return ask(lab_.pod_client, ip("10.96.0.10"), 80).substr(0, 8); }
  std::string saved(const std::string& table) {
    return lab_.node.run({program("-save"), "-t", table});
  }
  std::uint32_t generation() {
    return lab_.node.in([] { return must(must(kernel::Nftables::open()).generation()); });
  }

  ServiceLab lab_{Family::kIpv4};
};

INSTANTIATE_TEST_SUITE_P(Service, IptablesModeTest, testing::Values("nft", "legacy"),
                         [](const auto& each) { return std::string(each.param); });

// Only nf_tables says who has written, and lets others write what iptables does not know.
class IptablesNftModeTest : public IptablesModeTest {};
INSTANTIATE_TEST_SUITE_P(Service, IptablesNftModeTest, testing::Values("nft"),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(IptablesModeTest, FollowsWhatChanges) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  EXPECT_EQ(answer(), "here 10.");
  apply(*mode, web_with({"10.244.1.11"}));
  EXPECT_EQ(answer(), "here-too");
  EXPECT_EQ(must(repair(*mode)), Words{});
  apply(*mode, {{.name = web().name}});
  EXPECT_TRUE(hears_nothing(lab_.pod_client, ip("10.96.0.10"), 80));
  EXPECT_EQ(must(repair(*mode)), Words{});
  EXPECT_EQ(saved("nat").find("KUBE-SVC-"), std::string::npos);
}

TEST_P(IptablesModeTest, ARestartWritesNothing) {
  const auto services = web_with({"10.244.1.10", "10.244.1.11"});
  start(*open(), services);
  const auto before = generation();
  const auto again = open();
  start(*again, services);
  EXPECT_EQ(generation(), before);
  EXPECT_EQ(must(repair(*again)), Words{});
}

TEST_P(IptablesModeTest, ARestartWritesWhatChangedMeanwhile) {
  start(*open(), web_with({"10.244.1.10"}));
  const auto again = open();
  start(*again, web_with({"10.244.1.11"}));
  EXPECT_EQ(answer(), "here-too");
  EXPECT_EQ(must(repair(*again)), Words{});
}

TEST_P(IptablesModeTest, OtherOptionsBeforeTheStartChangeNothingYet) {
  start(*open(), web_with({"10.244.1.10"}));
  const auto again = open();
  lab_.node.in([&] { must(again->set_options({rule_options(Family::kIpv4)})); });
  EXPECT_EQ(answer(), "here 10.");
}

TEST_P(IptablesModeTest, WhatOthersDidIsRepaired) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  lab_.node.sh(program() + " -t nat -F KUBE-MARK-MASQ");
  lab_.node.sh(program() + " -t nat -D PREROUTING 1");
  EXPECT_TRUE(hears_nothing(lab_.pod_client, ip("10.96.0.10"), 80));
  EXPECT_EQ(must(repair(*mode)),
            (Words{program() + ": nat chain KUBE-MARK-MASQ: put",
                   program() + ": nat jump from PREROUTING to KUBE-SERVICES: put"}));
  EXPECT_EQ(answer(), "here 10.");
  for (const char* words : {" -t nat -F", " -t filter -F", " -t nat -X", " -t filter -X"})
    lab_.node.sh(program() + words);
  EXPECT_TRUE(hears_nothing(lab_.pod_client, ip("10.96.0.10"), 80));
  EXPECT_FALSE(must(repair(*mode)).empty());
  EXPECT_EQ(answer(), "here 10.");
  EXPECT_EQ(must(repair(*mode)), Words{});
}

TEST_P(IptablesNftModeTest, WhatItWroteItselfIsNotReadAgain) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  apply(*mode, web_with({"10.244.1.11"}));
  {
    const NoPrograms none;
    EXPECT_EQ(must(repair(*mode)), Words{});
  }
  lab_.node.sh("nft add table ip other");
  const NoPrograms none;
  const auto failed = repair(*mode);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("there is no program iptables-nft-save in PATH"),
            std::string::npos)
      << failed.error().text();
}

TEST_P(IptablesModeTest, AChangeThatIsRefusedIsAnErrorAndRepairMendsIt) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  {
    const NoPrograms none;
    const Status refused = lab_.node.in([&] { return mode->apply(web_with({"10.244.1.11"})); });
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("services of IPv4"), std::string::npos)
        << refused.error().text();
  }
  EXPECT_EQ(answer(), "here 10.");
  EXPECT_FALSE(must(repair(*mode)).empty());
  EXPECT_EQ(answer(), "here-too");
}

// iptables does not remove a chain that somebody's rule leads to.
TEST_P(IptablesModeTest, AChainThatOthersHoldStaysEmpty) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  const std::string save = saved("nat");
  const std::string chain = save.substr(save.find("KUBE-SEP-"), 25);
  lab_.node.sh(program() + " -t nat -N OTHER");
  lab_.node.sh(program() + " -t nat -A OTHER -j " + chain);
  const Status refused = lab_.node.in([&] { return mode->apply(web_with({"10.244.1.11"})); });
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("-X " + chain), std::string::npos)
      << refused.error().text();
  EXPECT_FALSE(must(repair(*mode)).empty());
  EXPECT_EQ(answer(), "here-too");
  EXPECT_EQ(saved("nat").find("-A " + chain), std::string::npos);
  EXPECT_EQ(must(repair(*mode)), Words{});
}

TEST_P(IptablesNftModeTest, TablesThatIptablesCannotShowAreAnError) {
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  lab_.node.run({"nft", "add", "rule", "ip", "nat", "POSTROUTING", "meta", "mark", "set", "numgen",
                 "random", "mod", "3"});
  const auto failed = repair(*mode);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("incompatible"), std::string::npos) << failed.error().text();
}

TEST_P(IptablesModeTest, NodePortsAtLoopbackAddresses) {
  start(*open(), web_with({"10.244.1.10"}));
  EXPECT_EQ(ask(lab_.node, ip("127.0.0.1"), kNodePort), "refused");
  const auto mode = open(true);
  start(*mode, web_with({"10.244.1.10"}));
  EXPECT_EQ(ask(lab_.node, ip("127.0.0.1"), kNodePort), "here " + lab_.pod(1, 1).to_string());
  EXPECT_EQ(
      lab_.node.in([] { return must(kernel::read_sysctl("net/ipv4/conf/all/route_localnet")); }),
      "1");
}

TEST_P(IptablesModeTest, TakesItsChainsAwayAndNoOthers) {
  lab_.node.sh(program() + " -t nat -N OTHER");
  lab_.node.sh(program() + " -t nat -A PREROUTING -j OTHER");
  lab_.node.sh(program() + " -t mangle -N KUBE-PROXY-CANARY");
  const auto mode = open();
  start(*mode, web_with({"10.244.1.10"}));
  lab_.node.in([&] { must(mode->remove()); });
  for (const char* table : {"nat", "filter", "mangle"}) {
    const std::string left = saved(table);
    for (const char* gone : {"KUBE-S", "KUBE-E", "KUBE-P", "KUBE-M", "KUBE-N", "KUBE-FO"})
      EXPECT_EQ(left.find(gone), std::string::npos) << left;
  }
  EXPECT_NE(saved("nat").find("-A PREROUTING -j OTHER"), std::string::npos);
  lab_.node.in([&] { must(mode->remove()); });
  // And may come back.
  start(*mode, web_with({"10.244.1.10"}));
  EXPECT_EQ(answer(), "here 10.");
}

TEST_P(IptablesModeTest, WithoutIptablesItCannotBeOpened) {
  const NoPrograms none;
  const auto mode = IptablesMode::open({rule_options(Family::kIpv4)}, {.flavour = GetParam()});
  ASSERT_FALSE(mode);
  EXPECT_NE(mode.error().text().find("install iptables, or use nftables instead"),
            std::string::npos)
      << mode.error().text();
}

}  // namespace
}  // namespace weft::service
