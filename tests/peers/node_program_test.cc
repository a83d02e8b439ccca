// `weftd node` on a real API server: the pod network, services and names of a node out of one
// process, and what the server sees of it.
#include <signal.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "base/files.h"
#include "served_lab.h"
#include "support/daemon.h"
#include "support/eventually.h"

namespace weft::test {
namespace {

using std::chrono::seconds;

constexpr char kNetConf[] = R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})";
constexpr char kProxyConfig[] = R"(apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
detectLocalMode: NodeCIDR
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
)";
constexpr char kCorefile[] = R"(.:1053 {
    bind 127.0.0.1
    health 127.0.0.1:8080
    ready 127.0.0.1:8181
    kubernetes cluster.local in-addr.arpa
    reload 2s 1s
}
)";
// What a cluster has that runs CoreDNS.
constexpr char kDnsRole[] = R"({"kind":"ClusterRole",
  "apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"dns"},"rules":[
  {"apiGroups":[""],"resources":["namespaces"],"verbs":["list","watch"]}]})";
constexpr char kDnsBinding[] = R"({"kind":"ClusterRoleBinding",
  "apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"dns"},
  "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"dns"},
  "subjects":[{"kind":"ServiceAccount","name":"flannel","namespace":"kube-flannel"}]})";

const char* const kKinds[] = {"nodes", "services", "endpointslices", "namespaces", "servicecidrs"};

class NodeProgram : public testing::Test {
 protected:
  void SetUp() override {
    const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
    server_.call("POST", rbac + "clusterroles", json(kDnsRole));
    server_.call("POST", rbac + "clusterrolebindings", json(kDnsBinding));
    server_.create_peer(7);
    create_service("web", "10.96.0.100", "10.244.1.10");
    write("net-conf.json", kNetConf);
    write("proxy.yaml", kProxyConfig);
    write("Corefile", kCorefile);
    write("node.yaml", "kubeconfig: " + server_.kubeconfig() +
                           "\n"
                           "nodeName: here\n"
                           "flanneld:\n"
                           "  args:\n" +
                           flannel_flags("  - ") +
                           "kubeProxy:\n"
                           "  config: " +
                           file("proxy.yaml") +
                           "\n"
                           "  args: [--status-socket=" +
                           file("proxy.sock") +
                           "]\n"
                           "coredns:\n"
                           "  corefile: " +
                           file("Corefile") + "\n");
  }

  std::string file(const std::string& name) const { return server_.file(name); }
  void write(const std::string& name, const std::string& text) const {
    must(write_file_atomically(file(name), text, 0644));
  }
  std::string flannel_flags(const std::string& before) const {
    std::string lines;
    for (const std::string& flag :
         {"--net-config-path=" + file("net-conf.json"), "--subnet-file=" + file("subnet.env"),
          std::string("--iface=192.0.2.1"), std::string("--healthz-port=10247")})
      lines += before + flag + "\n";
    return lines;
  }

  void create_service(const std::string& name, const std::string& address,
                      const std::string& endpoint) const {
    server_.call("POST", kServices,
                 {{"metadata", {{"name", name}}},
                  {"spec",
                   {{"clusterIP", address},
                    {"ports", Json::array({{{"protocol", "UDP"}, {"port", 80}}})}}}});
    server_.call(
        "POST", kSlices,
        {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", name}}}}},
         {"addressType", "IPv4"},
         {"ports", Json::array({{{"name", ""},
                                 {"protocol", "UDP"},
                                 {"port", static_cast<int>(ServiceLab::kPort)}}})},
         {"endpoints", Json::array({{{"addresses", {endpoint}}}})}});
  }

  void start() {
    lab_.node.in([&] {
      node_.emplace(std::vector<std::string>{WEFTD, "node", "--config=" + file("node.yaml")},
                    file("node.log"));
    });
  }
  std::string in_node(std::vector<std::string> argv) const {
    const auto done = lab_.node.in([&] { return run({.argv = std::move(argv)}); });
    return done ? done->output : "";
  }

  bool has_route() const {
    return in_node({"ip", "route"}).find("10.244.7.0/24 via 10.244.7.0 dev flannel.1") !=
           std::string::npos;
  }
  bool answers(const std::string& address) const {
    return ask(lab_.pod_client, *IpAddress::parse(address), 80, 1000).rfind("here", 0) == 0;
  }
  bool resolves(const std::string& name, const std::string& address) const {
    return in_node({"dig", "+short", "+time=1", "+tries=1", "-p", "1053", "@127.0.0.1",
                    name + ".default.svc.cluster.local"}) == address + "\n";
  }
  bool is_whole() const {
    return has_route() && answers("10.96.0.100") && resolves("web", "10.96.0.100");
  }
  bool becomes_whole() const {
    return eventually([&] { return is_whole(); }, seconds(60));
  }
  std::string page(const std::string& url) const {
    return in_node({"curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url});
  }

  // What the node has in the kernel.
  std::string data_plane() const {
    return in_node({"ip", "route"}) + in_node({"ip", "neigh", "show", "dev", "flannel.1"}) +
           in_node({"nft", "list", "table", "ip", "weft-services"});
  }

  // A number of the server's metrics, summed over what has these labels, for each kind.
  std::map<std::string, int> counted(const std::string& metric, const std::string& verb) const {
    const auto access =
        must(find_kube_access({.api_url = "", .kubeconfig = server_.admin_kubeconfig()},
                              [](const char*) { return std::nullopt; }));
    const std::string text = must(KubeClient(access).call({.path = "/metrics"}));
    std::map<std::string, int> sums;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(metric + "{", 0) != 0 || line.find("verb=\"" + verb) == std::string::npos)
        continue;
      for (const char* kind : kKinds)
        if (line.find("resource=\"" + std::string(kind) + "\"") != std::string::npos)
          sums[kind] += static_cast<int>(std::strtod(line.c_str() + line.rfind(' '), nullptr));
    }
    return sums;
  }

  ServedLab site_;
  const ServiceLab& lab_ = site_.lab;
  KubeServer& server_ = site_.server;
  std::optional<Daemon> node_;
};

TEST_F(NodeProgram, ReadsEachKindOnceForAllParts) {
  const auto watches = counted("apiserver_longrunning_requests", "WATCH");
  const auto lists = counted("apiserver_request_total", "LIST");
  start();
  ASSERT_TRUE(becomes_whole()) << node_->said();
  for (const char* page_of_a_part :
       {"http://127.0.0.1:10247/readyz", "http://127.0.0.1:10256/healthz",
        "http://127.0.0.1:8080/health", "http://127.0.0.1:8181/ready"})
    EXPECT_TRUE(eventually([&] { return page(page_of_a_part) == "200"; })) << page_of_a_part;
  EXPECT_TRUE(eventually([&] {
    return node_->said().find("all parts are ready") != std::string::npos;
  })) << node_->said();

  auto watches_now = counted("apiserver_longrunning_requests", "WATCH");
  auto lists_now = counted("apiserver_request_total", "LIST");
  for (const char* kind : kKinds) {
    EXPECT_EQ(watches_now[kind] - (watches.contains(kind) ? watches.at(kind) : 0), 1) << kind;
    EXPECT_EQ(lists_now[kind] - (lists.contains(kind) ? lists.at(kind) : 0), 1) << kind;
  }
}

TEST_F(NodeProgram, LeavesTheDataPlaneWhereItEndsAndFindsItAgain) {
  start();
  ASSERT_TRUE(becomes_whole()) << node_->said();
  const std::string before = data_plane();
  node_->end(SIGKILL);
  EXPECT_EQ(data_plane(), before);
  EXPECT_TRUE(has_route());
  EXPECT_TRUE(answers("10.96.0.100"));
  start();
  EXPECT_TRUE(becomes_whole()) << node_->said();
  EXPECT_TRUE(eventually([&] { return page("http://127.0.0.1:8181/ready") == "200"; }));
  EXPECT_EQ(data_plane(), before);

  // An outage takes nothing, and what comes afterwards comes to all parts.
  server_.kill();
  EXPECT_TRUE(eventually([&] {
    return node_->said().find("services stay as they are") != std::string::npos;
  })) << node_->said();
  EXPECT_TRUE(is_whole()) << node_->said();
  EXPECT_EQ(data_plane(), before);
  server_.start();
  create_service("next", "10.96.0.101", "10.244.1.10");
  server_.create_peer(8);
  EXPECT_TRUE(eventually([&] { return resolves("next", "10.96.0.101"); }, seconds(60)));
  EXPECT_TRUE(eventually([&] { return answers("10.96.0.101"); }, seconds(60)));
  EXPECT_TRUE(eventually(
      [&] {
        return in_node({"ip", "route"}).find("10.244.8.0/24") != std::string::npos;
      },
      seconds(60)))
      << node_->said();
}

TEST_F(NodeProgram, APartThatFailsDoesNotTakeTheOthersWithIt) {
  start();
  ASSERT_TRUE(becomes_whole()) << node_->said();
  const pid_t pid = node_->pid();

  write("proxy.yaml", std::string(kProxyConfig) + "bindAddress: nonsense\n");
  EXPECT_TRUE(eventually([&] {
    return node_->said().find("kube-proxy: ") != std::string::npos &&
           node_->said().find("nonsense") != std::string::npos;
  })) << node_->said();
  EXPECT_TRUE(is_whole()) << node_->said();
  write("Corefile", "this is no Corefile {\n");
  EXPECT_TRUE(eventually([&] {
    return node_->said().find("coredns: " + file("Corefile") + ": not taken") != std::string::npos;
  })) << node_->said();
  EXPECT_TRUE(is_whole()) << node_->said();

  // Both come back without the node being started again, and nobody reads twice.
  write("proxy.yaml", kProxyConfig);
  write("Corefile", std::string(kCorefile) + "example.org:1053 {\n  bind 127.0.0.1\n}\n");
  EXPECT_TRUE(
      eventually([&] { return page("http://127.0.0.1:10256/healthz") == "200"; }, seconds(30)))
      << node_->said();
  create_service("next", "10.96.0.101", "10.244.1.10");
  EXPECT_TRUE(eventually([&] { return answers("10.96.0.101"); }, seconds(30))) << node_->said();
  EXPECT_TRUE(eventually([&] { return resolves("next", "10.96.0.101"); }, seconds(30)));
  EXPECT_TRUE(eventually([&] {
    return node_->said().find(file("Corefile") + ": taken over") != std::string::npos;
  })) << node_->said();
  EXPECT_EQ(::kill(pid, 0), 0);
}

// Figures for docs/node.md; that one process takes less than three is the claim.
TEST_F(NodeProgram, TakesLessMemoryThanItsParts) {
  const auto memory_kb = [](const Daemon& daemon) {
    const auto status = read_file("/proc/" + std::to_string(daemon.pid()) + "/smaps_rollup");
    const auto at = status ? status->find("\nPss:") : std::string::npos;
    return at == std::string::npos ? 0 : std::strtol(status->c_str() + at + 5, nullptr, 10);
  };
  for (int i = 0; i < 200; ++i)
    create_service("s" + std::to_string(i), "10.96.1." + std::to_string(i), "10.244.1.10");
  start();
  ASSERT_TRUE(becomes_whole()) << node_->said();
  ASSERT_TRUE(eventually([&] { return answers("10.96.1.199"); }));
  const long together = memory_kb(*node_);
  node_->end(SIGTERM);

  std::map<std::string, std::unique_ptr<Daemon>> parts;
  lab_.node.in([&] {
    ::setenv("NODE_NAME", "here", 1);
    std::vector<std::string> flanneld{WEFTD, "flanneld", "--kube-subnet-mgr",
                                      "--kubeconfig-file=" + server_.kubeconfig()};
    for (const auto& flag : split(flannel_flags(""), '\n'))
      if (!flag.empty()) flanneld.push_back(flag);
    parts["flanneld"] = std::make_unique<Daemon>(flanneld, file("flanneld.log"));
    parts["kube-proxy"] = std::make_unique<Daemon>(
        proxy_command({WEFTD, "kube-proxy"}, server_,
                      {"--detect-local-mode=NodeCIDR", "--status-socket=" + file("proxy.sock")}),
        file("proxy.log"));
    std::string corefile = kCorefile;
    const std::string plugin = "kubernetes cluster.local in-addr.arpa";
    corefile.replace(corefile.find(plugin), plugin.size(),
                     plugin + " {\n kubeconfig " + server_.kubeconfig() + "\n }");
    write("Corefile", corefile);
    parts["coredns"] = std::make_unique<Daemon>(
        std::vector<std::string>{WEFTD, "coredns", "-conf", file("Corefile")}, file("dns.log"));
  });
  ASSERT_TRUE(becomes_whole());
  ASSERT_TRUE(eventually([&] { return resolves("s199", "10.96.1.199"); }));
  long apart = 0;
  std::string figures;
  for (const auto& [name, daemon] : parts) {
    apart += memory_kb(*daemon);
    figures += " " + name + " " + std::to_string(memory_kb(*daemon));
  }
  std::printf("KB in memory (Pss): node %ld; apart %ld:%s\n", together, apart, figures.c_str());
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(together, apart);
#endif
}

}  // namespace
}  // namespace weft::test
