#include "service/proxy_record.h"

#include <gtest/gtest.h>

namespace weft::service {
namespace {

using std::chrono::seconds;
using Clock = ProxyRecord::Clock;

const Clock::time_point kStart = Clock::time_point(seconds(1000));
const WallTime kWall = WallTime(seconds(1'800'000'000));

PassReport pass(seconds began, seconds ended, Status outcome = {}) {
  return {.began = kStart + began,
          .ended = kStart + ended,
          .at = kWall + ended,
          .outcome = std::move(outcome)};
}

class ProxyRecordTest : public testing::Test {
 protected:
  bool healthy(seconds at) { return record_.health(kStart + at).healthy; }
  void queue(seconds at) { record_.queued(kStart + at, kWall + at); }
  bool shows(const std::string& line) {
    return record_.metrics(waiting_).find(line + "\n") != std::string::npos;
  }

  ProxyRecord record_{"nftables", {Family::kIpv4, Family::kIpv6}, seconds(60)};
  BoardNews waiting_;
};

TEST_F(ProxyRecordTest, IsHealthyUntilAChangeWaitsForTooLong) {
  queue(seconds(0));
  EXPECT_TRUE(healthy(seconds(500)));  // it has not begun yet
  EXPECT_FALSE(record_.health(kStart).last_updated);
  record_.passed(pass(seconds(500), seconds(501)));
  EXPECT_EQ(record_.health(kStart).last_updated, kWall + seconds(501));
  queue(seconds(600));
  queue(seconds(650));
  EXPECT_TRUE(healthy(seconds(659)));
  EXPECT_FALSE(healthy(seconds(660)));
  record_.passed(pass(seconds(661), seconds(662), fail("no")));
  EXPECT_FALSE(healthy(seconds(662)));
  record_.passed(pass(seconds(663), seconds(664)));
  EXPECT_TRUE(healthy(seconds(664)));
}

TEST_F(ProxyRecordTest, WhatComesDuringAPassIsNotInIt) {
  record_.passed(pass(seconds(0), seconds(1)));
  queue(seconds(10));
  queue(seconds(12));
  record_.passed(pass(seconds(11), seconds(13)));
  EXPECT_TRUE(healthy(seconds(71)));
  EXPECT_FALSE(healthy(seconds(72)));
}

TEST_F(ProxyRecordTest, CountsWhatPassesHaveDone) {
  PassReport report = pass(seconds(0), seconds(2));
  report.full = true;
  report.failures = 1;
  report.news = {.services = 3, .slices = 4, .triggers = {kWall - seconds(1), kWall + seconds(9)}};
  record_.passed(report);
  record_.passed(pass(seconds(3), seconds(3)));
  waiting_ = {.services = 1, .slices = 2};
  EXPECT_TRUE(shows("kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family=\"IPv6\"} 2"));
  EXPECT_TRUE(shows("kubeproxy_sync_full_proxy_rules_duration_seconds_sum{ip_family=\"IPv4\"} 2"));
  EXPECT_TRUE(
      shows("kubeproxy_sync_partial_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"} 1"));
  EXPECT_TRUE(shows("kubeproxy_sync_proxy_rules_endpoint_changes_total 6"));
  EXPECT_TRUE(shows("kubeproxy_sync_proxy_rules_endpoint_changes_pending 2"));
  EXPECT_TRUE(shows("kubeproxy_sync_proxy_rules_service_changes_total 4"));
  EXPECT_TRUE(shows("kubeproxy_sync_proxy_rules_service_changes_pending 1"));
  EXPECT_TRUE(
      shows("kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family=\"IPv4\"} 1"));
  // Three seconds, and a clock that is ahead of ours.
  EXPECT_TRUE(shows(
      "kubeproxy_network_programming_duration_seconds_bucket{ip_family=\"IPv4\",le=\"3\"} 2"));
  EXPECT_TRUE(shows("kubeproxy_network_programming_duration_seconds_sum{ip_family=\"IPv4\"} 3"));
}

TEST_F(ProxyRecordTest, CountsServicesWithoutAnEndpointHere) {
  const auto told = [&](Handling inside, Handling outside) {
    ServicePlan plan;
    plan.ports.push_back({.fronts = {{.handling = inside}, {.handling = outside}}});
    PassReport report = pass(seconds(0), seconds(1));
    report.services = {{.name = {"shop", "web"}, .plans = {{Family::kIpv4, plan}}}};
    record_.passed(report);
  };
  const std::string name = "kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"IPv4\"";
  told(Handling::kDrop, Handling::kExternalLocal);
  EXPECT_TRUE(shows(name + ",traffic_policy=\"internal\"} 1"));
  EXPECT_TRUE(shows(name + ",traffic_policy=\"external\"} 1"));
  told(Handling::kCluster, Handling::kExternalLocal);
  EXPECT_TRUE(shows(name + ",traffic_policy=\"internal\"} 0"));
  EXPECT_TRUE(shows(name + ",traffic_policy=\"external\"} 1"));
  PassReport gone = pass(seconds(0), seconds(1));
  gone.services = {{.name = {"shop", "web"}}};
  record_.passed(gone);
  EXPECT_TRUE(shows(name + ",traffic_policy=\"external\"} 0"));
}

TEST_F(ProxyRecordTest, CountsProbesAndRemovedFlows) {
  record_.answered("healthz", 200);
  record_.answered("healthz", 503);
  record_.answered("healthz", 503);
  record_.conntrack_cleaned(seconds(1), 5);
  EXPECT_TRUE(shows("kubeproxy_proxy_healthz_total{code=\"503\"} 2"));
  EXPECT_TRUE(shows("kubeproxy_conntrack_reconciler_deleted_entries_total 5"));
  EXPECT_TRUE(shows("kubeproxy_conntrack_reconciler_sync_duration_seconds_count 1"));
}

}  // namespace
}  // namespace weft::service
