#include "overlay/agent_server.h"

#include <gtest/gtest.h>

#include "serve/http_ask.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft::overlay {
namespace {

using test::must;

class AgentServerTest : public ::testing::Test {
 protected:
  AgentServerTest() { must(server_.listen()); }

  HttpReply ask(const std::string& path) {
    return must(http_ask(folder_.path() + "/weft.sock", path, std::chrono::seconds(5)));
  }

  const test::TempDir folder_;
  LockGuarded<AgentReport> report_;
  LockGuarded<std::optional<std::string>> stuck_;
  AgentServer server_{
      {.socket = folder_.path() + "/weft.sock"},
      report_,
      [this] { return stuck_.copy(); },
      [] {
        return std::vector<BackendCounter>{{"udp_packets", {{"direction", "sent"}}, 7}};
      }};
};

TEST_F(AgentServerTest, SaysReadyInFlanneldsWords) {
  EXPECT_EQ(ask("/healthz").body, "flanneld is running");
  report_.with([](AgentReport& report) {
    report.set_state(AgentState::kWaitingForLease, "the network is full", {});
  });
  EXPECT_EQ(ask("/readyz").status, 503);
  EXPECT_EQ(ask("/readyz").body,
            "flanneld is not ready yet: waiting-for-lease: the network is full");
  report_.with([](AgentReport& report) { report.set_state(AgentState::kReady, "", {}); });
  EXPECT_EQ(ask("/readyz").status, 200);
  EXPECT_EQ(ask("/readyz").body, "flanneld is ready");
}

TEST_F(AgentServerTest, SaysWhetherItIsStuck) {
  EXPECT_EQ(ask("/livez").status, 200);
  stuck_.with([](auto& stuck) { stuck = "a pass has taken 70 s so far"; });
  EXPECT_EQ(ask("/livez").status, 500);
  EXPECT_EQ(ask("/livez").body, "a pass has taken 70 s so far");
}

TEST_F(AgentServerTest, GivesNumbersAndStatus) {
  report_.with([](AgentReport& report) { report.backend = "vxlan"; });
  EXPECT_NE(ask("/metrics").body.find("\nweft_overlay_ready 0\n"), std::string::npos);
  EXPECT_NE(ask("/metrics").body.find("udp_packets_total{direction=\"sent\"} 7\n"),
            std::string::npos);
  EXPECT_EQ(must(parse_json(ask("/status").body))["backend"], "vxlan");
  EXPECT_EQ(ask("/etc/passwd").status, 404);
}

}  // namespace
}  // namespace weft::overlay
