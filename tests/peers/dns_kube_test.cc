// The cluster DNS on a real API server, asked by dig, kdig and drill.
#include <gtest/gtest.h>

#include "base/process.h"
#include "dns/kube_source.h"
#include "dns/server.h"
#include "kube_server.h"
#include "support/dns_responder.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft::dns {
namespace {

using test::eventually;
using test::must;

const std::string kServices = "/api/v1/namespaces/shop/services";
const std::string kSlices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";

class DnsKubeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    api_ = new test::KubeServer;
    // What CoreDNS's ClusterRole allows, for the account whose token the server gives out.
    api_->call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles",
               {{"metadata", {{"name", "dns"}}},
                {"rules",
                 {{{"apiGroups", {""}},
                   {"resources", {"services", "namespaces"}},
                   {"verbs", {"list", "watch"}}},
                  {{"apiGroups", {"discovery.k8s.io"}},
                   {"resources", {"endpointslices"}},
                   {"verbs", {"list", "watch"}}}}}});
    api_->call(
        "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        {{"metadata", {{"name", "dns"}}},
         {"roleRef",
          {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "dns"}}},
         {"subjects",
          {{{"kind", "ServiceAccount"}, {"name", "flannel"}, {"namespace", "kube-flannel"}}}}});
    api_->call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "shop"}}}});
  }
  static void TearDownTestSuite() {
    delete api_;
    api_ = nullptr;
  }

  void SetUp() override {
    options_.zone.ttl = 30;
    for (const char* zone : {"cluster.local", "in-addr.arpa", "ip6.arpa"})
      options_.zone.zones.push_back(ServedZone::of(*Name::parse(zone)));
  }

  void serve() {
    source_ = std::make_unique<KubeSource>(std::make_shared<KubeReader>(api_->access()), options_,
                                           kept_, zones_);
    server_ =
        must(Server::start({.addresses = {{.address = *IpAddress::parse("127.0.0.1"), .port = 0}}},
                           [this](Replies&) { return test::cluster_responder(zones_); }));
  }
  bool is_complete() const {
    return eventually([&] { return source_->is_complete(); });
  }

  std::string port() const { return std::to_string(server_->addresses()[0].port); }
  // What a client prints.
  std::string ask(const std::string& client, const std::vector<std::string>& words) const {
    Command command{.argv = {client, "@127.0.0.1", "-p", port()}};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    return must(run_or_fail(command));
  }
  // The data of all answers, a line each.
  std::string dig(const std::string& name, const std::string& type) const {
    return ask("dig", {"+short", "+tries=1", name, type});
  }

  static Json service(const std::string& name, Json spec) {
    return {{"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
  }
  static Json slice(const std::string& name, const std::string& of, const std::string& address,
                    const std::string& hostname, bool ready = true) {
    return {
        {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", of}}}}},
        {"addressType", "IPv4"},
        {"endpoints",
         {{{"addresses", {address}}, {"hostname", hostname}, {"conditions", {{"ready", ready}}}}}},
        {"ports", {{{"name", "pg"}, {"port", 5432}, {"protocol", "TCP"}}}}};
  }

  static test::KubeServer* api_;
  KubernetesOptions options_;
  SnapshotPlace kept_;
  Published<ClusterZone> zones_{std::make_shared<const ClusterZone>()};
  std::unique_ptr<KubeSource> source_;
  std::unique_ptr<Server> server_;
};
test::KubeServer* DnsKubeTest::api_ = nullptr;

TEST_F(DnsKubeTest, NamesFollowTheApi) {
  serve();
  ASSERT_TRUE(is_complete());
  EXPECT_TRUE(source_->health()) << source_->health().error().text();
  const Json made = api_->call("POST", kServices,
                               service("web", {{"ports", {{{"name", "http"}, {"port", 80}}}}}));
  const std::string ip = made["spec"]["clusterIP"];
  const std::string web = "web.shop.svc.cluster.local";
  EXPECT_TRUE(eventually([&] { return dig(web, "A") == ip + "\n"; }));
  EXPECT_EQ(dig("_http._tcp." + web, "SRV"), "0 100 80 " + web + ".\n");
  EXPECT_EQ(ask("dig", {"+short", "-x", ip}), web + ".\n");

  api_->call("POST", kServices,
             service("pg", {{"clusterIP", "None"}, {"ports", {{{"name", "pg"}, {"port", 5432}}}}}));
  api_->call("POST", kSlices, slice("pg-1", "pg", "10.4.0.5", "pg-0"));
  EXPECT_TRUE(eventually([&] { return dig("pg.shop.svc.cluster.local", "A") == "10.4.0.5\n"; }));
  EXPECT_EQ(dig("pg-0.pg.shop.svc.cluster.local", "A"), "10.4.0.5\n");
  EXPECT_EQ(dig("_pg._tcp.pg.shop.svc.cluster.local", "SRV"),
            "0 100 5432 pg-0.pg.shop.svc.cluster.local.\n");
  api_->call("PUT", kSlices + "/pg-1", slice("pg-1", "pg", "10.4.0.5", "pg-0", false));
  EXPECT_TRUE(eventually([&] { return dig("pg.shop.svc.cluster.local", "A").empty(); }));

  api_->call("POST", kServices,
             service("out", {{"type", "ExternalName"}, {"externalName", "foo.example.com"}}));
  EXPECT_TRUE(eventually(
      [&] { return dig("out.shop.svc.cluster.local", "CNAME") == "foo.example.com.\n"; }));
  for (const char* name : {"web", "pg", "out"}) api_->call("DELETE", kServices + "/" + name);
  EXPECT_TRUE(eventually([&] { return dig(web, "A").empty(); }));
  api_->call("DELETE", kSlices + "/pg-1");
}

TEST_F(DnsKubeTest, EveryClientUnderstandsTheAnswers) {
  serve();
  ASSERT_TRUE(is_complete());
  const std::string name = "kubernetes.default.svc.cluster.local";
  const Json own = api_->call("GET", "/api/v1/namespaces/default/services/kubernetes");
  const std::string ip = own["spec"]["clusterIP"];
  for (const char* option :
       {"+noedns", "+edns", "+tcp", "+dnssec", "+nsid", "+cookie", "+keepalive"})
    EXPECT_EQ(ask("dig", {"+short", option, name, "A"}), ip + "\n") << option;
  for (const char* option : {"+noedns", "+edns", "+tcp"})
    EXPECT_EQ(ask("kdig", {"+short", option, name, "A"}), ip + "\n") << option;
  for (const char* option : {"-u", "-t"})
    EXPECT_NE(ask("drill", {option, name, "A"}).find("\tA\t" + ip), std::string::npos) << option;
  const std::string denied = ask("dig", {"no.default.svc.cluster.local"});
  EXPECT_NE(denied.find("status: NXDOMAIN"), std::string::npos) << denied;
  EXPECT_NE(denied.find("flags: qr aa rd ra"), std::string::npos) << denied;
  EXPECT_EQ(denied.find("WARNING: Message"), std::string::npos) << denied;
}

TEST_F(DnsKubeTest, AnOutageOfTheApiChangesNoName) {
  serve();
  ASSERT_TRUE(is_complete());
  const std::string name = "kubernetes.default.svc.cluster.local";
  const std::string ip = dig(name, "A");
  ASSERT_FALSE(ip.empty());
  api_->kill();
  EXPECT_TRUE(eventually([&] { return !source_->health(); }));
  EXPECT_EQ(dig(name, "A"), ip);
  EXPECT_NE(ask("dig", {"no.default.svc.cluster.local"}).find("status: NXDOMAIN"),
            std::string::npos);
  api_->start();
  const Json made = api_->call("POST", kServices, service("late", {{"ports", {{{"port", 80}}}}}));
  const std::string late = made["spec"]["clusterIP"];
  // Between two tries there are up to fifteen seconds, after an outage that was long.
  EXPECT_TRUE(eventually([&] { return dig("late.shop.svc.cluster.local", "A") == late + "\n"; },
                         std::chrono::minutes(1)));
  api_->call("DELETE", kServices + "/late");
}

TEST_F(DnsKubeTest, OnlyWhatIsSelectedHasAName) {
  options_.label_selector = "tier in (a,b)";
  options_.namespace_label_selector = "kubernetes.io/metadata.name=shop";
  options_.zone.listed_namespaces_only = true;
  serve();
  ASSERT_TRUE(is_complete());
  Json labelled = service("labelled", {{"ports", {{{"port", 80}}}}});
  labelled["metadata"]["labels"]["tier"] = "b";
  api_->call("POST", kServices, labelled);
  api_->call("POST", kServices, service("bare", {{"ports", {{{"port", 80}}}}}));
  EXPECT_TRUE(eventually([&] { return !dig("labelled.shop.svc.cluster.local", "A").empty(); }));
  EXPECT_EQ(dig("bare.shop.svc.cluster.local", "A"), "");
  EXPECT_EQ(dig("kubernetes.default.svc.cluster.local", "A"), "");
  for (const char* name : {"labelled", "bare"}) api_->call("DELETE", kServices + "/" + name);
}

// Before anything is read every name may be there; nobody must be told otherwise.
TEST_F(DnsKubeTest, WithoutAnApiNothingIsDenied) {
  api_->kill();
  serve();
  const std::string text = ask("dig", {"+tries=1", "web.shop.svc.cluster.local"});
  EXPECT_NE(text.find("status: SERVFAIL"), std::string::npos) << text;
  EXPECT_NE(text.find("EDE: 14 (Not Ready)"), std::string::npos) << text;
  api_->start();
  EXPECT_TRUE(is_complete());
}

// A node that comes up before its API server: what was known then is answered, and nothing of it is
// left once the server says otherwise.
TEST_F(DnsKubeTest, NamesOutliveTheServerAndTheApi) {
  const test::TempDir folder;
  kept_ = {.folder = folder.path(), .origin = "test"};
  options_.startup_timeout = std::chrono::milliseconds(500);
  const Json gone = api_->call("POST", kServices, service("gone", {{"ports", {{{"port", 80}}}}}));
  const std::string ip = gone["spec"]["clusterIP"];
  serve();
  ASSERT_TRUE(is_complete());
  EXPECT_EQ(dig("gone.shop.svc.cluster.local", "A"), ip + "\n");
  server_.reset();
  source_.reset();  // which writes down what is newer
  api_->call("DELETE", kServices + "/gone");
  api_->kill();
  zones_.set(std::make_shared<const ClusterZone>());
  serve();
  const std::string text = ask("dig", {"gone.shop.svc.cluster.local"});
  EXPECT_NE(text.find("\tA\t" + ip), std::string::npos) << text;
  EXPECT_NE(text.find("EDE: 3 (Stale Answer)"), std::string::npos) << text;
  ASSERT_TRUE(is_complete()) << "so far as anybody can say";
  EXPECT_NE(ask("dig", {"no.shop.svc.cluster.local"}).find("EDE: 19 (Stale NXDOMAIN Answer)"),
            std::string::npos);
  EXPECT_FALSE(source_->health());
  api_->start();
  EXPECT_TRUE(eventually([&] { return !zones_.get()->stale; }, std::chrono::minutes(1)));
  EXPECT_EQ(dig("gone.shop.svc.cluster.local", "A"), "");
  EXPECT_FALSE(dig("kubernetes.default.svc.cluster.local", "A").empty());
}

}  // namespace
}  // namespace weft::dns
