// What a whole agent says of itself, to probes, to Prometheus and to a service manager.
#include <stdlib.h>
#include <sys/socket.h>

#include <set>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/unix_address.h"
#include "serve/http_ask.h"
#include "store/directory_store.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::must;

class AgentVoiceTest : public testing::Test {
 protected:
  void configure() {
    must(write_file_atomically(folder_.path() + "/store/config",
                               R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})", 0644));
  }
  HttpReply ask(const std::string& path) {
    const std::string subnet_file = node_->subnet_file();
    return http_ask(subnet_file.substr(0, subnet_file.rfind('/')) + "/weft.sock", path,
                    std::chrono::seconds(5))
        .value_or(HttpReply{.status = 0});
  }

  test::TempDir folder_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(folder_.path() + "/store"));
  test::Segment segment_;
  std::unique_ptr<test::Node> node_ = segment_.add_node({"192.0.2.1/24"});
};

TEST_F(AgentVoiceTest, IsRunningAtOnceAndReadyWhenTheKernelIs) {
  node_->start_agent(*store_);
  ASSERT_TRUE(eventually([&] { return ask("/healthz").status == 200; }));
  EXPECT_TRUE(eventually([&] {
    return ask("/readyz").body.find("waiting-for-config") != std::string::npos;
  })) << ask("/readyz").body;
  EXPECT_EQ(ask("/readyz").status, 503);
  configure();
  ASSERT_TRUE(eventually([&] { return ask("/readyz").status == 200; }));
  EXPECT_EQ(node_->link("flannel.1").name, "flannel.1");
  EXPECT_EQ(ask("/livez").status, 200);
}

TEST_F(AgentVoiceTest, CountsWhatItRepairs) {
  configure();
  node_->start_agent(*store_);
  ASSERT_TRUE(eventually([&] { return ask("/readyz").status == 200; }));
  EXPECT_EQ(ask("/metrics").body.find("drift_repaired_total{"), std::string::npos);
  node_->sh("ip link del flannel.1");
  EXPECT_TRUE(eventually([&] {
    return ask("/metrics").body.find("weft_overlay_drift_repaired_total{kind=\"links\"} 1\n") !=
           std::string::npos;
  })) << ask("/metrics").body;
  const Json status = must(parse_json(ask("/status").body));
  EXPECT_EQ(status["state"], "ready");
  EXPECT_EQ(status["drift_repaired"]["links"], 1);
  EXPECT_EQ(status["backend"], "vxlan");
}

TEST_F(AgentVoiceTest, APortThatIsTakenLeavesTheNodeItsNetwork) {
  configure();
  HttpServer other([](const std::string&) { return HttpReply{}; });
  const IpAddress loopback = test::ip("127.0.0.1");
  const auto port = node_->in([&] { return must(other.listen(loopback, 0)); });
  node_->start_agent(*store_, [&](AgentOptions& options) {
    options.health = {.address = loopback, .port = port};
  });
  EXPECT_TRUE(eventually([&] { return ask("/readyz").status == 200; }));
}

TEST_F(AgentVoiceTest, TellsTheServiceManagerThatItIsReadyAndAlive) {
  const std::string path = folder_.path() + "/notify";
  const Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UnixAddress at = must(UnixAddress::parse(path));
  ASSERT_EQ(::bind(manager.get(), at.get(), at.size()), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "200000", 1);
  const ServiceManager service = ServiceManager::from_environment();
  std::multiset<std::string> told;
  const auto has_told = [&](const std::string& message, std::size_t times) {
    return eventually([&] {
      char text[512];
      for (ssize_t got = ::recv(manager.get(), text, sizeof text, MSG_DONTWAIT); got > 0;
           got = ::recv(manager.get(), text, sizeof text, MSG_DONTWAIT))
        told.insert(std::string(text, static_cast<std::size_t>(got)));
      return told.count(message) >= times;
    });
  };
  node_->start_agent(*store_, [&](AgentOptions& options) { options.manager = service; });
  EXPECT_TRUE(has_told("WATCHDOG=1", 2));
  EXPECT_EQ(told.count("READY=1"), 0U) << "there is no configuration yet";
  configure();
  EXPECT_TRUE(has_told("READY=1", 1));
  EXPECT_TRUE(has_told("STATUS=ready", 1));
  EXPECT_TRUE(node_->stop_agent());
  EXPECT_TRUE(has_told("STOPPING=1", 1));
}

}  // namespace
}  // namespace weft::overlay
