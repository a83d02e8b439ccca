// Reading and changing leases in a real etcd. Named after flannel's pkg/subnet/etcd tests where
// there is one for it.
#include "store/etcd_store.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "peers/etcd_server.h"
#include "support/leases.h"

namespace weft {
namespace {

using namespace test;  // NOLINT: the words of the tests
using std::chrono::seconds;

class EtcdStoreTest : public testing::Test {
 protected:
  std::unique_ptr<EtcdStore> open(EtcdOptions options) {
    auto store = EtcdStore::open(options);
    EXPECT_TRUE(store) << store.error().text();
    return *std::move(store);
  }

  EtcdServer server_;
  std::unique_ptr<EtcdStore> store_ = open(server_.options());
};

constexpr char kFirst[] = "/coreos.com/network/subnets/10.3.1.0-24";

TEST_F(EtcdStoreTest, TestEtcdRegistry) {
  auto config = store_->network_config();
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_FALSE(*config);
  server_.put("/coreos.com/network/config", R"({"Network":"10.3.0.0/16"})");
  EXPECT_EQ(**store_->network_config(), R"({"Network":"10.3.0.0/16"})");

  const auto lease = store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(86400));
  ASSERT_TRUE(lease && *lease);
  EXPECT_EQ(server_.value_of(kFirst), kValue);
  EXPECT_NE(server_.lease_of(kFirst), 0);

  const auto view = store_->list();
  ASSERT_TRUE(view) << view.error().text();
  ASSERT_EQ(view->leases.size(), 1U);
  const Lease& listed = view->leases.at(key("10.3.1.0-24"));
  EXPECT_EQ(listed.attributes, attributes("1.2.3.4"));
  EXPECT_EQ(listed.version, (*lease)->version);
  EXPECT_FALSE(listed.reserved);

  EXPECT_EQ(store_->remove(listed), true);
  EXPECT_TRUE(store_->list()->leases.empty());
  EXPECT_EQ(store_->remove(listed), true) << "one that is gone already is success";
}

TEST_F(EtcdStoreTest, DualStackKeyAndDataAreFlannelsBytes) {
  LeaseAttributes all = attributes("1.2.3.4");
  all.public_ipv6 = *IpAddress::parse("fd00::4");
  all.backend_type = "vxlan";
  all.backend_data = R"({"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"})";
  ASSERT_TRUE(*store_->create(key("10.3.1.0-24&fd00:12:13::-56"), all, seconds(60)));
  EXPECT_EQ(server_.value_of(std::string(kFirst) + "&fd00:12:13::-56"),
            R"({"PublicIP":"1.2.3.4","PublicIPv6":"fd00::4","BackendType":"vxlan",)"
            R"("BackendData":{"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"}})");
}

TEST_F(EtcdStoreTest, PrefixIsCleanedAsByPathJoin) {
  EtcdOptions options = server_.options();
  options.prefix = "//other//./x/../network/";
  const auto store = open(options);
  ASSERT_TRUE(*store->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60)));
  EXPECT_NE(server_.value_of("/other/network/subnets/10.3.1.0-24"), "");
  EXPECT_TRUE(store_->list()->leases.empty());
}

TEST_F(EtcdStoreTest, TestRenewLease) {
  auto lease = store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(100));
  ASSERT_TRUE(lease && *lease);
  const auto first_lease = server_.lease_of(kFirst);
  const auto renewed = store_->replace(**lease, attributes("1.2.3.4"), seconds(86400));
  ASSERT_TRUE(renewed && *renewed);
  EXPECT_EQ((*renewed)->attributes, (*lease)->attributes);
  EXPECT_GT((*renewed)->version, (*lease)->version);
  EXPECT_NE(server_.lease_of(kFirst), first_lease);

  const auto now = std::chrono::system_clock::now();
  const auto expected = std::chrono::floor<seconds>(now) + seconds(86400);
  const Lease listed = store_->list()->leases.at(key("10.3.1.0-24"));
  EXPECT_FALSE(listed.expiry) << "not known without a question to etcd";
  for (const auto& expiry : {(*renewed)->expiry, *store_->expiry(listed)}) {
    ASSERT_TRUE(expiry);
    EXPECT_LE(std::chrono::abs(*expiry - expected), seconds(10));
  }
  EXPECT_FALSE(*store_->expiry(**lease)) << "of a version that is gone";
}

TEST_F(EtcdStoreTest, StaleVersionChangesNothing) {
  const auto first = **store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
  const auto second = **store_->replace(first, attributes("1.2.3.5"), seconds(60));
  EXPECT_FALSE(*store_->replace(first, attributes("1.2.3.6"), seconds(60)));
  EXPECT_EQ(store_->remove(first), false);
  EXPECT_EQ(store_->list()->leases.at(first.key).attributes, attributes("1.2.3.5"));
  ASSERT_TRUE(*store_->remove(second));
  EXPECT_FALSE(*store_->replace(second, attributes("1.2.3.6"), seconds(60)));
}

// flannel's loser of this race ends with exit code 1.
TEST_F(EtcdStoreTest, OneOfManyWinsTheRaceAndTheOthersLeaveNoLease) {
  constexpr int kRacers = 6;
  std::vector<Result<std::optional<Lease>>> results(kRacers, std::nullopt);
  {
    std::vector<std::jthread> racers;
    for (int i = 0; i < kRacers; ++i)
      racers.emplace_back([&, i] {
        results[static_cast<std::size_t>(i)] = store_->create(
            key("10.3.1.0-24"), attributes("1.2.3." + std::to_string(i + 1)), seconds(60));
      });
  }
  int winners = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().text();
    winners += *result ? 1 : 0;
  }
  EXPECT_EQ(winners, 1);
  const Json leases = server_.call("/v3/lease/leases", Json::object());
  EXPECT_EQ(leases.at("leases").size(), 1U) << "the losers revoke theirs";
}

TEST_F(EtcdStoreTest, ReservationStaysLeaseless) {
  server_.put(kFirst, kValue);
  const Lease reserved = store_->list()->leases.at(key("10.3.1.0-24"));
  EXPECT_TRUE(reserved.reserved);
  EXPECT_FALSE(*store_->expiry(reserved));
  const auto replaced = store_->replace(reserved, attributes("1.2.3.5"), std::nullopt);
  ASSERT_TRUE(replaced && *replaced);
  EXPECT_TRUE((*replaced)->reserved);
  EXPECT_EQ(server_.lease_of(kFirst), 0);
  EXPECT_TRUE(store_->list()->leases.at(key("10.3.1.0-24")).reserved);
}

TEST_F(EtcdStoreTest, BrokenEntriesAreNamedAndTheOthersKept) {
  server_.put(kFirst, kValue);
  server_.put("/coreos.com/network/subnets/10.3.2.0-24", "half {");
  server_.put("/coreos.com/network/subnets/10.3.3.0-024", R"({"PublicIP":"1.2.3.4"})");
  server_.put("/coreos.com/network/subnets/a/b", "x");
  const auto view = store_->list();
  ASSERT_TRUE(view) << view.error().text();
  EXPECT_EQ(view->leases.size(), 1U);
  ASSERT_EQ(view->broken.size(), 3U);
  EXPECT_EQ(view->broken[0].key, "10.3.2.0-24");
  EXPECT_NE(view->broken[1].reason.find("10.3.3.0-24"), std::string::npos);
  EXPECT_EQ(view->broken[2].key, "a/b");
}

TEST_F(EtcdStoreTest, ListsMoreThanAPage) {
  constexpr int kLeases = 1203;
  for (int i = 0; i < kLeases; i += 100) {
    Json transaction;
    for (int k = i; k < std::min(kLeases, i + 100); ++k) {
      Json& put = transaction["success"].emplace_back(Json::object())["request_put"];
      put["key"] = to_base64("/coreos.com/network/subnets/" +
                             numbered(static_cast<unsigned>(k)).to_string());
      put["value"] = to_base64(kValue);
    }
    server_.call("/v3/kv/txn", transaction);
  }
  const auto view = store_->list();
  ASSERT_TRUE(view) << view.error().text();
  EXPECT_EQ(view->leases.size(), static_cast<std::size_t>(kLeases));
}

TEST_F(EtcdStoreTest, NextEndpointTakesOver) {
  EtcdOptions options = server_.options();
  const std::string dead = "http://127.0.0.1:" + std::to_string(test::free_port());
  options.endpoints = {dead, server_.endpoint()};
  const auto store = open(options);
  ASSERT_TRUE(*store->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60)));
  server_.stop();
  const auto view = store->list();
  ASSERT_FALSE(view) << "an outage is no empty cluster";
  for (const auto& endpoint : options.endpoints)
    EXPECT_NE(view.error().text().find(endpoint), std::string::npos) << view.error().text();
}

TEST(EtcdOptionsTest, WhatCannotWorkIsRefused) {
  const auto refusal = [](const EtcdOptions& options) {
    const auto store = EtcdStore::open(options);
    return store ? "" : store.error().text();
  };
  EtcdOptions options;
  options.endpoints = {"ftp://x"};
  EXPECT_NE(refusal(options).find("ftp://x"), std::string::npos);
  options.endpoints = {};
  EXPECT_NE(refusal(options), "");
  options = EtcdOptions{};
  options.key_file = "/some.key";
  EXPECT_NE(refusal(options).find("only one"), std::string::npos);
}

}  // namespace
}  // namespace weft
