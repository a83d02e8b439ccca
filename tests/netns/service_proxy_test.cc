// The service proxy as a whole: from manifests in a folder to packets.
#include "service/service_proxy.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "kernel/nftables.h"
#include "service/iptables_mode.h"
#include "support/eventually.h"
#include "support/running_proxy.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"
#include "support/temp_dir.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::eventually;
using weft::test::must;
using weft::test::ServiceLab;

constexpr char kService[] = R"(
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: 10.96.0.10
  ports: [{name: http, protocol: UDP, port: 80}]
)";

std::string slice_of(const std::string& address) {
  return R"(
kind: EndpointSlice
metadata:
  name: web-1
  namespace: shop
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{name: http, protocol: UDP, port: 8080}]
endpoints: [{addresses: [)" +
         address + "], nodeName: here}]\n";
}

// A proxy with the folder that it reads.
struct Running {
  // In nftables mode, if no other is given.
  Running(const ServiceLab& lab, const std::string& folder, std::unique_ptr<ProxyMode> mode = {})
      : feed(kHere) {
    proxy = lab.node.in([&] {
      return must(mode ? ServiceProxy::start(feed, std::move(mode), {}) : start_proxy(feed));
    });
    store = std::make_unique<ObjectFolder>(
        folder,
        ObjectFolder::Sinks{{"Service", &feed.services()}, {"EndpointSlice", &feed.slices()}},
        [this] { proxy->nudge(); });
  }
  ServiceFeed feed;
  std::unique_ptr<ServiceProxy> proxy;
  std::unique_ptr<ObjectFolder> store;
};

class ServiceProxyTest : public testing::Test {
 protected:
  ServiceProxyTest() { must(make_directories(folder_)); }
  void write(const std::string& file, const std::string& text) {
    must(write_file_atomically(folder_ + "/" + file, text, 0644));
  }
  std::string answer(int timeout_ms = 5000) {
    const std::string all = ask(lab_.pod_client, ip("10.96.0.10"), 80, timeout_ms);
    return all.substr(0, all.find(' '));
  }
  bool answers(const std::string& expected) {
    return eventually([&] { return answer(200) == expected; });
  }
  std::uint32_t generation() {
    return lab_.node.in([] { return must(must(kernel::Nftables::open()).generation()); });
  }

  weft::test::TempDir dir_;
  const std::string folder_ = dir_.path() + "/objects";
  ServiceLab lab_{Family::kIpv4};
};

TEST_F(ServiceProxyTest, FollowsTheFilesOfAFolder) {
  write("web.yaml", kService);
  write("web-1.yaml", slice_of("10.244.1.10"));
  Running running(lab_, folder_);
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(running.proxy->ready());
  write("web-1.yaml", slice_of("10.244.1.11"));
  EXPECT_TRUE(answers("here-too"));
  must(remove_file(folder_ + "/web-1.yaml"));
  EXPECT_TRUE(answers("refused"));
  must(remove_file(folder_ + "/web.yaml"));
  EXPECT_TRUE(answers("nothing"));
  EXPECT_TRUE(running.proxy->health());
}

TEST_F(ServiceProxyTest, NothingIsProgrammedBeforeTheFirstLists) {
  std::filesystem::remove(folder_);
  const Running running(lab_, folder_);
  EXPECT_TRUE(eventually([&] { return !running.store->health(); }));
  running.proxy->nudge();
  EXPECT_FALSE(running.proxy->ready());
  EXPECT_EQ(lab_.node.sh("nft list tables"), "");
  must(make_directories(folder_ + ".new"));
  must(write_file_atomically(folder_ + ".new/web.yaml", kService, 0644));
  std::filesystem::rename(folder_ + ".new", folder_);
  EXPECT_TRUE(answers("refused"));
}

TEST_F(ServiceProxyTest, AStoreThatIsGoneOrBrokenRemovesNothing) {
  write("web.yaml", kService);
  write("web-1.yaml", slice_of("10.244.1.10"));
  const Running running(lab_, folder_);
  EXPECT_TRUE(answers("here"));
  write("web-1.yaml", "kind: [");
  EXPECT_TRUE(eventually([&] { return !running.store->health(); }));
  EXPECT_EQ(answer(), "here");
  // What is no slice although it says so counts as what it was, too.
  write("web-1.yaml", "kind: EndpointSlice\nmetadata: {name: web-1, namespace: shop, labels: 7}\n");
  EXPECT_TRUE(eventually([&] { return running.store->health().has_value(); }));
  EXPECT_EQ(answer(), "here");
  std::filesystem::rename(folder_, folder_ + ".away");
  EXPECT_TRUE(eventually([&] { return !running.store->health(); }));
  EXPECT_EQ(answer(), "here");
}

TEST_F(ServiceProxyTest, WhatOthersDoToTheTablesIsMendedAtOnce) {
  write("web.yaml", kService);
  write("web-1.yaml", slice_of("10.244.1.10"));
  const Running running(lab_, folder_);
  EXPECT_TRUE(answers("here"));
  for (int i = 0; i < 3; ++i) {
    lab_.node.sh("nft flush ruleset");
    EXPECT_TRUE(answers("here"));
  }
  lab_.node.sh("nft flush map ip weft-services services");
  EXPECT_TRUE(answers("here"));
  // Others' tables are nobody's business.
  lab_.node.sh("nft add table ip other");
  EXPECT_EQ(answer(), "here");
}

TEST_F(ServiceProxyTest, WhatOthersDoToIptablesIsMendedAtOnceInBothOfItsKinds) {
  write("web.yaml", kService);
  write("web-1.yaml", slice_of("10.244.1.10"));
  for (const std::string flavour : {"nft", "legacy"}) {
    const std::string program = "iptables-" + flavour;
    auto mode = lab_.node.in([&] {
      return std::make_unique<IptablesMode>(
          must(IptablesMode::open({{.family = Family::kIpv4}}, {.flavour = flavour})));
    });
    {
      const Running running(lab_, folder_, std::move(mode));
      EXPECT_TRUE(answers("here"));
      for (int i = 0; i < 3; ++i) {
        lab_.node.sh(program + " -t nat -F");
        EXPECT_TRUE(answers("here"));
      }
      write("web-1.yaml", slice_of("10.244.1.11"));
      EXPECT_TRUE(answers("here-too"));
      EXPECT_TRUE(running.proxy->health());
    }
    lab_.node.sh(program + " -t nat -F");
    write("web-1.yaml", slice_of("10.244.1.10"));
  }
}

TEST_F(ServiceProxyTest, TheTablesStayWhenTheProxyEndsAndARestartWritesNothing) {
  write("web.yaml", kService);
  write("web-1.yaml", slice_of("10.244.1.10"));
  {
    const Running running(lab_, folder_);
    EXPECT_TRUE(answers("here"));
  }
  EXPECT_EQ(answer(), "here");
  const auto before = generation();
  const Running again(lab_, folder_);
  EXPECT_TRUE(eventually([&] { return again.proxy->ready(); }));
  EXPECT_EQ(generation(), before);
}

}  // namespace
}  // namespace weft::service
