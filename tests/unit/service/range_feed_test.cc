#include "service/range_feed.h"

#include <gtest/gtest.h>

namespace weft::service {
namespace {

std::vector<Prefix> ranges(const std::vector<std::string>& texts) {
  std::vector<Prefix> all;
  for (const auto& text : texts) all.push_back(Prefix::parse(text).value());
  return all;
}

Json cidr(const std::string& name, const std::vector<std::string>& cidrs) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"cidrs", cidrs}}}};
}

class RangeFeedTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::vector<std::string>& cidrs) {
    feed_.ranges().put({.kind = "ServiceCIDR", .ns = "", .name = name}, cidr(name, cidrs));
  }
  RangeFeed feed_;
};

TEST_F(RangeFeedTest, GivesEachRangeOnce) {
  EXPECT_TRUE(feed_.all().empty());
  put("second", {"10.100.0.0/16", "fd00:96::/112"});
  put("kubernetes", {"10.96.0.0/12"});
  EXPECT_EQ(feed_.all(), ranges({"10.96.0.0/12", "fd00:96::/112"}));
  feed_.ranges().remove({.kind = "ServiceCIDR", .ns = "", .name = "kubernetes"});
  EXPECT_EQ(feed_.all(), ranges({"10.100.0.0/16", "fd00:96::/112"}));
}

TEST_F(RangeFeedTest, AListReplacesWhatThereWas) {
  put("gone", {"10.1.0.0/16"});
  put("stays", {"10.2.0.0/16"});
  feed_.ranges().begin();
  put("stays", {"10.2.0.0/16"});
  EXPECT_EQ(feed_.all(), ranges({"10.1.0.0/16", "10.2.0.0/16"})) << "the list is not whole yet";
  feed_.ranges().end();
  EXPECT_EQ(feed_.all(), ranges({"10.2.0.0/16"}));
}

TEST_F(RangeFeedTest, WhatCannotBeReadIsWhatItWas) {
  put("kubernetes", {"10.96.0.0/12"});
  feed_.ranges().put({.kind = "ServiceCIDR", .ns = "", .name = "kubernetes"},
                     Json{{"metadata", {{"name", "kubernetes"}}}, {"spec", 1}});
  EXPECT_EQ(feed_.all(), ranges({"10.96.0.0/12"}));
  feed_.kube_ranges().begin();
  const KubeMeta meta{.name = "kubernetes"};
  feed_.kube_ranges().list_item(KubeObject(meta, "\xff"));
  feed_.kube_ranges().commit();
  EXPECT_EQ(feed_.all(), ranges({"10.96.0.0/12"}));
  EXPECT_TRUE(feed_.kube_ranges().remove({.name = "kubernetes"}));
  EXPECT_FALSE(feed_.kube_ranges().remove({.name = "kubernetes"})) << "no news";
}

}  // namespace
}  // namespace weft::service
