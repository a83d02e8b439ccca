#include "overlay/allocating_keeper.h"

#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "store/directory_store.h"
#include "support/forwarding_store.h"
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

// A store that cannot say when a lease runs out, so many times.
class ForgetfulStore : public test::ForwardingStore {
 public:
  ForgetfulStore(LeaseStore& store, int times) : ForwardingStore(store), times_(times) {}
  Result<std::optional<UnixSeconds>> expiry(const Lease& lease) override {
    if (times_-- > 0) return fail("the time to live of the lease is not known today");
    return ForwardingStore::expiry(lease);
  }

 private:
  int times_;
};

// flannel ends here.
TEST(AllocatingKeeperTest, AnExpiryThatCannotBeLookedUpIsAskedForAgain) {
  const test::TempDir folder;
  const auto directory = must(DirectoryStore::open(folder.path()));
  ForgetfulStore store(*directory, 1);
  auto keeper = make_keeper(store, 1);
  const auto now = std::chrono::system_clock::now();
  keeper.step(nullptr, now);
  ASSERT_TRUE(keeper.lease());
  // Another daemon of the node's name writes the lease: the first time is answered, the second
  // one makes this one look at it.
  const auto write_as_another = [&] {
    const Lease present = must(directory->list()).leases.begin()->second;
    must(directory->replace(present, present.attributes, std::chrono::hours(1)));
    return std::make_shared<const LeaseView>(must(directory->list()));
  };
  keeper.step(write_as_another(), now);
  ASSERT_TRUE(keeper.health());
  const LeaseKey key = keeper.lease()->key;
  const auto view = write_as_another();
  keeper.step(view, now);
  EXPECT_FALSE(keeper.health());
  ASSERT_TRUE(keeper.lease());
  EXPECT_EQ(keeper.lease()->key, key);
  keeper.step(view, now);
  EXPECT_TRUE(keeper.health());
  EXPECT_EQ(keeper.lease()->version, view->leases.begin()->second.version);
}

}  // namespace
}  // namespace weft::overlay
