#include "overlay/allocating_keeper.h"

#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "store/directory_store.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft::overlay {
namespace {

using test::must;

// The IPv6 network has so few subnets that nodes which start together often choose the same.
const NetConf& few_ipv6_subnets() {
  static const NetConf conf = must(NetConf::parse(
      R"({"EnableIPv4":true,"Network":"10.244.0.0/16","EnableIPv6":true,)"
      R"("IPv6Network":"fd00:244::/60","IPv6SubnetLen":64,"Backend":{"Type":"vxlan"}})"));
  return conf;
}

AllocatingKeeper make_keeper(LeaseStore& store, std::uint32_t node) {
  const std::map<Family, IpAddress> addresses{
      {Family::kIpv4, IpAddress::v4(0xc0000200U + node)},
      {Family::kIpv6, *IpAddress::parse("2001:db8::" + std::to_string(node))}};
  return {store,
          few_ipv6_subnets(),
          {},
          {.facts = [=] { return AllocationFacts{.public_addresses = addresses}; },
           .attributes =
               [=](const auto&) {
                 return LeaseAttributes{.public_ipv4 = addresses.at(Family::kIpv4),
                                        .public_ipv6 = addresses.at(Family::kIpv6),
                                        .backend_type = "vxlan"};
               },
           .changed = [] {}}};
}

TEST(AllocatingKeeperTest, NodesThatStartTogetherShareNoSubnetOfEitherFamily) {
  for (int round = 0; round < 20; ++round) {
    const test::TempDir folder;
    const auto store = must(DirectoryStore::open(folder.path()));
    std::vector<std::jthread> nodes;
    for (std::uint32_t node = 1; node <= 4; ++node)
      nodes.emplace_back([&store, node] {
        auto keeper = make_keeper(*store, node);
        for (int i = 0; i < 100 && !keeper.lease(); ++i)
          keeper.step(nullptr, std::chrono::system_clock::now());
        EXPECT_TRUE(keeper.lease()) << keeper.health().error().text();
      });
    nodes.clear();
    const LeaseView leases = must(store->list());
    EXPECT_EQ(leases.leases.size(), 4U);
    for (const auto& [key, lease] : leases.leases)
      EXPECT_EQ(find_overlapping(leases, key), nullptr) << key.describe();
  }
}

}  // namespace
}  // namespace weft::overlay
