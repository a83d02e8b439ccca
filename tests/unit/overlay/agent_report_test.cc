#include "overlay/agent_report.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

using std::chrono::seconds;

const UnixSeconds kNow{seconds(1'800'000'000)};

Lease lease_of(const std::string& key, const std::string& address, std::int64_t version) {
  return {.key = LeaseKey::parse(key).value(),
          .attributes = {.public_ipv4 = IpAddress::parse(address)},
          .expiry = kNow + seconds(3600),
          .version = version};
}

LeaseView view_of(const std::vector<Lease>& leases) {
  LeaseView view;
  for (const auto& lease : leases) view.leases.emplace(lease.key, lease);
  return view;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

AgentReport ready_report() {
  AgentReport report;
  report.set_state(AgentState::kReady, "", kNow - seconds(60));
  report.backend = "vxlan";
  report.store = "etcd at 10.0.0.1:2379";
  report.lease = std::make_shared<const Lease>(lease_of("10.1.1.0-24", "192.0.2.1", 1));
  report.leases = std::make_shared<const LeaseView>(
      view_of({*report.lease, lease_of("10.1.2.0-24", "192.0.2.2", 2)}));
  report.peers[Family::kIpv4] = 1;
  return report;
}

TEST(AgentReport, CountsAsPrometheusReads) {
  AgentReport report = ready_report();
  report.store_errors = 4;
  report.refusals = {"lease 10.1.3.0/24: not programmed"};
  report.store_trouble = "connection refused";
  report.repaired = {{"links", 1}, {"routes", 7}};
  const std::string text =
      metrics_text(report, {{"udp_datagrams", {{"direction", "sent"}}, 5},
                            {"udp_datagrams", {{"direction", "received"}}, 6}});
  for (const char* line :
       {"weft_overlay_ready 1", "weft_overlay_refusals 1", "weft_overlay_peers{family=\"IPv4\"} 1",
        "weft_overlay_leases 2", "weft_overlay_lease_expiry_timestamp_seconds 1800003600",
        "weft_overlay_store_up 0", "weft_overlay_store_errors_total 4",
        "weft_overlay_drift_repaired_total{kind=\"routes\"} 7",
        "weft_overlay_udp_datagrams_total{direction=\"received\"} 6"})
    EXPECT_TRUE(has_line(text, line)) << line << "\nin\n" << text;
  const auto first = text.find("# TYPE weft_overlay_udp_datagrams_total counter");
  EXPECT_EQ(text.find("# TYPE weft_overlay_udp_datagrams_total", first + 1), std::string::npos);
}

TEST(AgentReport, OnlyDriftCountsAsRepaired) {
  AgentReport report;
  const std::map<std::string, std::size_t> pass = {{"routes", 1}};
  report.count_pass(PassCause::kStart, std::chrono::milliseconds(5), pass);
  EXPECT_TRUE(report.repaired.empty());
  report.count_pass(PassCause::kDrift, std::chrono::milliseconds(5), pass);
  report.count_pass(PassCause::kDrift, std::chrono::milliseconds(5), pass);
  EXPECT_EQ(report.repaired.at("routes"), 2U);
  const std::string text = metrics_text(report, {});
  EXPECT_TRUE(has_line(
      text, "weft_overlay_reconcile_duration_seconds_bucket{cause=\"drift\",le=\"0.003\"} 0"));
  EXPECT_TRUE(has_line(text, "weft_overlay_reconcile_duration_seconds_count{cause=\"drift\"} 2"));
}

TEST(AgentReport, TheStateKeepsItsTimeUntilItChanges) {
  AgentReport report;
  report.set_state(AgentState::kWaitingForLease, "full", kNow);
  report.set_state(AgentState::kWaitingForLease, "full", kNow + seconds(5));
  EXPECT_EQ(report.since, kNow);
  report.set_state(AgentState::kWaitingForLease, "another", kNow + seconds(6));
  EXPECT_EQ(report.since, kNow + seconds(6));
}

TEST(AgentReport, TellsEachPeersLastChange) {
  AgentReport report = ready_report();
  report.history.update(*report.leases, kNow - seconds(100));
  // The peer has moved; a third one came.
  report.leases = std::make_shared<const LeaseView>(
      view_of({*report.lease, lease_of("10.1.2.0-24", "192.0.2.9", 3),
               lease_of("10.1.3.0-24", "192.0.2.3", 4)}));
  report.history.update(*report.leases, kNow - seconds(10));
  report.history.update(*report.leases, kNow);
  const Json json = to_json(report, kNow);
  ASSERT_EQ(json["peers"].size(), 2U) << json.dump(1);
  EXPECT_EQ(json["peers"][0]["subnet"], "10.1.2.0/24");
  EXPECT_EQ(json["peers"][0]["addresses"], Json({"192.0.2.9"}));
  EXPECT_EQ(json["peers"][0]["changed_s"], 10);
  EXPECT_EQ(json["lease"]["subnet"], "10.1.1.0/24");
  EXPECT_EQ(json["lease"]["expires_s"], 3600);
  EXPECT_EQ(json["for_s"], 60);
  // One that has left is forgotten.
  report.history.update(view_of({*report.lease}), kNow);
  EXPECT_EQ(report.history.entries().size(), 1U);
}

}  // namespace
}  // namespace weft::overlay
