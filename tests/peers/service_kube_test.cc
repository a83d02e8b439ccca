// The service proxy on a real kube-apiserver, down to packets.
#include <gtest/gtest.h>

#include "proxied_cluster.h"
#include "service/kube_services.h"
#include "service/service_proxy.h"
#include "support/eventually.h"
#include "support/running_proxy.h"
#include "support/service_cases.h"
#include "support/service_lab.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::eventually;
using weft::test::json;
using weft::test::kMergePatch;
using weft::test::kServices;
using weft::test::kSlices;
using weft::test::KubeServer;
using weft::test::must;
using weft::test::ServiceLab;

class ServicesOfKubernetes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new KubeServer;
    weft::test::allow_proxies(*server_);
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    proxy_ = lab_.node.in([&] { return must(start_proxy(feed_)); });
    reader_ = std::make_unique<KubeReader>(server_->access());
    source_ = std::make_unique<KubeServices>(*reader_, feed_, [this] { proxy_->nudge(); });
  }
  void TearDown() override {
    for (const char* collection : {kServices, kSlices}) {
      const Json list = server_->call("GET", collection);
      for (const auto& object : list["items"])
        if (object["metadata"]["name"] != "kubernetes")
          server_->call("DELETE", std::string(collection) + "/" +
                                      object["metadata"]["name"].get<std::string>());
    }
  }

  // The Service web, at the address that the API server gives it.
  void create_service() {
    const Json made = server_->call("POST", kServices, json(R"({"metadata":{"name":"web"},
      "spec":{"ports":[{"name":"http","protocol":"UDP","port":80}]}})"));
    address_ = ip(made["spec"]["clusterIP"].get<std::string>());
  }
  static void create_slice(const std::string& address, const std::string& more_labels = "") {
    server_->call("POST", kSlices,
                  json(R"({"metadata":{"name":"web-1","labels":{
      "kubernetes.io/service-name":"web")" +
                       more_labels + R"(}},"addressType":"IPv4",
      "ports":[{"name":"http","protocol":"UDP","port":8080}],
      "endpoints":[{"addresses":[")" +
                       address + R"("]}]})"));
  }
  bool answers(const std::string& expected) {
    return eventually([&] {
      const std::string all = ask(lab_.pod_client, address_, 80, 200);
      return all.substr(0, all.find(' ')) == expected;
    });
  }

  static KubeServer* server_;
  ServiceLab lab_{Family::kIpv4};
  ServiceFeed feed_{kHere};
  std::unique_ptr<ServiceProxy> proxy_;
  std::unique_ptr<KubeReader> reader_;
  std::unique_ptr<KubeServices> source_;
  IpAddress address_;
};
KubeServer* ServicesOfKubernetes::server_ = nullptr;

TEST_F(ServicesOfKubernetes, ComeChangeAndGo) {
  create_service();
  EXPECT_TRUE(answers("refused"));
  create_slice("10.244.1.10");
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(source_->health());
  server_->call("PATCH", std::string(kSlices) + "/web-1",
                json(R"({"endpoints":[{"addresses":["10.244.1.11"]}]})"), kMergePatch);
  EXPECT_TRUE(answers("here-too"));
  server_->call("PATCH", std::string(kSlices) + "/web-1",
                json(R"({"endpoints":[{"addresses":["10.244.1.11"],
                         "conditions":{"ready":false}}]})"),
                kMergePatch);
  EXPECT_TRUE(answers("refused"));
  server_->call("DELETE", std::string(kServices) + "/web");
  EXPECT_TRUE(answers("nothing"));
}

TEST_F(ServicesOfKubernetes, WhatIsLabelledForAnotherProxyIsLeftToIt) {
  create_service();
  create_slice("10.244.1.10");
  EXPECT_TRUE(answers("here"));
  const std::string label = R"({"metadata":{"labels":{"service.kubernetes.io/service-proxy-name":)";
  server_->call("PATCH", std::string(kServices) + "/web", json(label + R"("other"}}})"),
                kMergePatch);
  EXPECT_TRUE(answers("nothing"));
  server_->call("PATCH", std::string(kServices) + "/web", json(label + "null}}}"), kMergePatch);
  EXPECT_TRUE(answers("here"));
}

TEST_F(ServicesOfKubernetes, AnApiThatIsAwayChangesNothing) {
  create_service();
  create_slice("10.244.1.10");
  EXPECT_TRUE(answers("here"));
  server_->kill();
  EXPECT_TRUE(eventually([&] { return !source_->health(); }));
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(proxy_->health());
  server_->start();
  server_->call("PATCH", std::string(kSlices) + "/web-1",
                json(R"({"endpoints":[{"addresses":["10.244.1.11"]}]})"), kMergePatch);
  EXPECT_TRUE(
      eventually([&] { return ask(lab_.pod_client, address_, 80, 200).substr(0, 8) == "here-too"; },
                 std::chrono::seconds(40)));
}

}  // namespace
}  // namespace weft::service
