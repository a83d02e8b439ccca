// `weftd kube-proxy` as a program: from a folder of manifests to packets, and what it answers.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/files.h"
#include "serve/http_server.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"
#include "support/temp_dir.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::Daemon;
using weft::test::eventually;
using weft::test::must;
using weft::test::ServiceLab;

constexpr char kNode[] = R"(
kind: Node
metadata: {name: here, labels: {topology.kubernetes.io/zone: east}}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
)";

constexpr char kService[] = R"(
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.10
  externalTrafficPolicy: Local
  healthCheckNodePort: 30333
  ports: [{name: http, protocol: UDP, port: 80, nodePort: 30080}]
)";

std::string slice_of(const std::string& address) {
  return R"(
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, protocol: UDP, port: 8080}]
endpoints: [{addresses: [)" +
         address + "], nodeName: here}]\n";
}

class KubeProxyProgram : public testing::Test {
 protected:
  KubeProxyProgram() {
    must(make_directories(folder_));
    write("node.yaml", kNode);
    write("web.yaml", kService);
    write("web-1.yaml", slice_of("10.244.1.10"));
  }

  void write(const std::string& file, const std::string& text) {
    must(write_file_atomically(folder_ + "/" + file, text, 0644));
  }
  // With the folder as its store, as the node "here".
  void start(std::vector<std::string> more = {}) {
    std::vector<std::string> argv{WEFTD, "kube-proxy", "--store-dir=" + folder_,
                                  "--hostname-override=HERE", "--status-socket=" + socket_};
    argv.insert(argv.end(), more.begin(), more.end());
    daemon_.emplace(argv, log_);
  }
  void start_in_node(const std::vector<std::string>& more = {}) {
    lab_.node.in([&] { start(more); });
  }
  // What it says when it is run to its end in the node, and its exit code before that.
  std::string run(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {WEFTD, "kube-proxy"});
    return lab_.node.in([&] {
      const auto done = must(weft::run({.argv = flags}));
      return std::to_string(done.exit_code) + " " + done.output + done.errors;
    });
  }
  // Exit code, then what `weft status services` prints.
  std::string status(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {WEFT, "status", "services", "--socket", socket_});
    const auto done = must(weft::run({.argv = words}));
    return std::to_string(done.exit_code) + " " + done.output + done.errors;
  }
  std::string http(const std::string& path, int port) {
    return lab_.node.in([&] {
      const auto done =
          must(weft::run({.argv = {"curl", "-s", "-i", "--max-time", "5",
                                   "http://127.0.0.1:" + std::to_string(port) + path}}));
      return done.output;
    });
  }
  bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  std::string answer(const std::string& address, std::uint16_t port, int timeout_ms = 200) {
    const std::string all = ask(lab_.client, ip(address), port, timeout_ms);
    return all.substr(0, all.find(' '));
  }
  bool answers(const std::string& expected) {
    return eventually([&] {
      const std::string all = ask(lab_.pod_client, ip("10.96.0.10"), 80, 200);
      return all.substr(0, all.find(' ')) == expected;
    });
  }

  weft::test::TempDir dir_;
  const std::string folder_ = dir_.path() + "/objects";
  const std::string log_ = dir_.path() + "/log";
  const std::string socket_ = dir_.path() + "/proxy.sock";
  ServiceLab lab_{Family::kIpv4};
  std::optional<Daemon> daemon_;
};

TEST_F(KubeProxyProgram, ServesTheServicesOfItsStoreAndLeavesThemWhenItEnds) {
  start_in_node({"--proxy-mode=nftables"});
  EXPECT_TRUE(answers("here")) << daemon_->said();
  EXPECT_EQ(http("/proxyMode", 10249).substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_TRUE(has(http("/proxyMode", 10249), "\r\n\r\nnftables"));
  const std::string metrics = http("/metrics", 10249);
  for (const char* name :
       {"kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"}",
        "kubeproxy_sync_proxy_rules_endpoint_changes_total 1\n",
        "kubeproxy_sync_proxy_rules_service_changes_total 1\n",
        "kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family=\"IPv4\"} 0\n",
        "kubeproxy_network_programming_duration_seconds_bucket"})
    EXPECT_TRUE(has(metrics, name)) << name;
  EXPECT_TRUE(has(http("/configz", 10249), "\"mode\":\"nftables\""));
  EXPECT_TRUE(has(http("/livez", 10256), "\"healthy\":true"));
  EXPECT_TRUE(has(http("/healthz", 10256), "\"nodeEligible\":true"));
  daemon_->end(SIGTERM);
  EXPECT_TRUE(has(daemon_->said(), "stopped; the data plane stays as it is"));
  EXPECT_TRUE(answers("here"));
  EXPECT_EQ(run({"--cleanup"}).substr(0, 2), "0 ");
  EXPECT_EQ(lab_.node.sh("nft list tables"), "");
}

TEST_F(KubeProxyProgram, NodePortsAreServedAtTheNodesAddressesAsTheyAre) {
  start_in_node({"--nodeport-addresses=198.51.100.0/24"});
  EXPECT_TRUE(answers("here"));
  EXPECT_NE(answer("192.0.2.1", 30080), "here");
  lab_.node.sh("ip addr add 198.51.100.7/32 dev lo");
  EXPECT_TRUE(eventually([&] { return answer("198.51.100.7", 30080) == "here"; }));
  lab_.node.sh("ip addr del 198.51.100.7/32 dev lo");
  lab_.node.sh("ip addr add 198.51.100.8/32 dev lo");
  EXPECT_TRUE(eventually([&] { return answer("198.51.100.8", 30080) == "here"; }));
}

TEST_F(KubeProxyProgram, WhatHasNoServiceInTheServiceRangesIsDropped) {
  // Somebody outside has an address of the range, and nothing at the port.
  lab_.client.sh("ip addr add 10.96.0.11/32 dev lo");
  const auto says = [&] { return ask(lab_.pod_client, ip("10.96.0.11"), 80, 200); };
  start_in_node();
  EXPECT_TRUE(answers("here"));
  EXPECT_EQ(says(), "refused");
  write("ranges.yaml",
        "kind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [10.96.0.0/16]}\n");
  EXPECT_TRUE(eventually([&] { return says() == "nothing"; })) << daemon_->said();
  EXPECT_TRUE(answers("here"));
  must(remove_file(folder_ + "/ranges.yaml"));
  EXPECT_TRUE(eventually([&] { return says() == "refused"; })) << daemon_->said();
}

TEST_F(KubeProxyProgram, ShowsItsServicesAndSinceWhenTheKernelHasThem) {
  EXPECT_TRUE(has(status(), "2 weft: no service proxy answers at " + socket_)) << status();
  start_in_node({"--proxy-mode=nftables"});
  EXPECT_TRUE(answers("here"));
  const std::string all = status();
  EXPECT_TRUE(has(all, "nftables on here: 1 services\n")) << all;
  EXPECT_EQ(all.substr(0, 2), "0 ");
  EXPECT_TRUE(has(all, "\nshop/web  in the kernel, as of ")) << all;
  EXPECT_TRUE(has(all, "\n  cluster       10.96.0.10:80/UDP: cluster\n")) << all;
  EXPECT_TRUE(has(all, "\n  node port     port 30080/UDP: local\n")) << all;
  EXPECT_TRUE(has(all, "\n  -> http       10.244.1.10:8080/UDP: ready, local\n")) << all;
  const Json json = parse_json(status({"shop/web", "-o", "json"}).substr(2)).value();
  EXPECT_EQ(json["mode"], "nftables");
  EXPECT_EQ(json["services"][0]["endpoints"][0]["address"], "10.244.1.10");
  EXPECT_EQ(json["services"][0]["waiting"], false);
  EXPECT_TRUE(has(status({"shop"}), "shop/web")) << status({"shop"});
  EXPECT_TRUE(has(status({"shop/we"}), "2 weft: there is no service shop/we"));
}

TEST_F(KubeProxyProgram, SaysWhyTheKernelDoesNotHaveAService) {
  // Somebody owns the table: nobody else may write into it as long as he lives.
  const std::string words = dir_.path() + "/words";
  ASSERT_EQ(::mkfifo(words.c_str(), 0600), 0);
  std::optional<Daemon> owner;
  lab_.node.in([&] {
    owner.emplace(std::vector<std::string>{"sh", "-c", "exec nft -i <" + words}, log_);
  });
  const Fd pipe(::open(words.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string_view table = "add table ip weft-services { flags owner; }\n";
  ASSERT_EQ(::write(pipe.get(), table.data(), table.size()), static_cast<ssize_t>(table.size()));
  ASSERT_TRUE(eventually([&] { return has(lab_.node.sh("nft list tables"), "weft-services"); }));
  start_in_node({"--proxy-mode=nftables"});
  // Until the first pass has failed it says that the service has just come in.
  std::string said;
  EXPECT_TRUE(eventually([&] {
    said = status();
    return said.substr(0, 2) == "1 " && has(said, "\nshop/web  not in the kernel: ") &&
           has(said, "Operation not permitted");
  })) << said;
  owner.reset();
  EXPECT_TRUE(answers("here")) << daemon_->said();
  EXPECT_TRUE(eventually([&] { return status().substr(0, 2) == "0 "; })) << status();
}

TEST_F(KubeProxyProgram, HealthCheckPortsCountTheEndpointsOfTheNode) {
  start_in_node();
  EXPECT_TRUE(eventually([&] { return has(http("/", 30333), "200 OK"); }));
  const std::string well = http("/any/path", 30333);
  EXPECT_TRUE(has(well, "\r\nContent-Type: application/json\r\n")) << well;
  EXPECT_TRUE(has(well, "\r\nX-Load-Balancing-Endpoint-Weight: 1\r\n"));
  EXPECT_TRUE(has(well,
                  "\r\n\r\n{\n\t\"service\": {\n\t\t\"namespace\": \"shop\",\n\t\t\"name\": "
                  "\"web\"\n\t},\n\t\"localEndpoints\": 1,\n\t\"serviceProxyHealthy\": true\n}"));
  must(remove_file(folder_ + "/web-1.yaml"));
  EXPECT_TRUE(eventually([&] { return has(http("/", 30333), " 503 "); }));
  must(remove_file(folder_ + "/web.yaml"));
  EXPECT_TRUE(eventually([&] { return http("/", 30333).empty(); }));
}

class KubeProxyFlows : public KubeProxyProgram, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Service, KubeProxyFlows,
                         testing::Values("nftables", "iptables", "userspace"));

TEST_P(KubeProxyFlows, OneThatNeverPausesMovesToAnotherEndpoint) {
  must(remove_file(folder_ + "/web-1.yaml"));
  const Fd socket(lab_.pod_client.in([] { return ::socket(AF_INET, SOCK_DGRAM, 0); }));
  const kernel::SocketAddress to(ip("10.96.0.10"), 80);
  const auto says = [&] {
    ::sendto(socket.get(), "?", 1, 0, to.get(), to.size);
    pollfd polled{socket.get(), POLLIN, 0};
    char text[64];
    if (weft::test::uninterrupted([&] { return ::poll(&polled, 1, 100); }) == 0)
      return std::string("nothing");
    const ssize_t got = ::recv(socket.get(), text, sizeof text, 0);
    const std::string all(text, got < 0 ? 0 : static_cast<std::size_t>(got));
    return all.substr(0, all.find(' '));
  };
  // Something follows connections before there are services: the first packets go nowhere.
  lab_.node.run({"nft", "-f", "-"},
                "table ip t { chain c { type filter hook prerouting priority 0; ct state new "
                "counter; }; }");
  EXPECT_EQ(says(), "nothing");
  write("web-1.yaml", slice_of("10.244.1.10"));
  start_in_node({std::string("--proxy-mode=") + GetParam()});
  EXPECT_TRUE(eventually([&] { return says() == "here"; })) << daemon_->said();
  write("web-1.yaml", slice_of("10.244.1.11"));
  EXPECT_TRUE(eventually([&] { return says() == "here-too"; })) << daemon_->said();
  // The relay's entry stays: what it relays to is its own business.
  const bool relays = GetParam() == std::string("userspace");
  EXPECT_TRUE(has(http("/metrics", 10249),
                  std::string("kubeproxy_conntrack_reconciler_deleted_entries_total ") +
                      (relays ? "1\n" : "2\n")));
}

TEST_F(KubeProxyProgram, TakesThePortsOfItsRangeInUserspaceMode) {
  start_in_node({"--proxy-mode=userspace", "--proxy-port-range=40400-40409"});
  EXPECT_TRUE(answers("here")) << daemon_->said();
  EXPECT_TRUE(has(lab_.node.sh("iptables-save -t nat"), "--to-ports 4040"))
      << lab_.node.sh("iptables-save -t nat");
  EXPECT_TRUE(has(run({"--store-dir=" + folder_, "--status-socket=", "--hostname-override=here",
                       "--proxy-mode=userspace", "--proxy-port-range=9-1"}),
                  "portRange"));
}

TEST_F(KubeProxyProgram, WhatKubeProxyHasLeftGoesWhenOursIsThere) {
  lab_.node.sh("nft add table ip kube-proxy");
  lab_.node.sh("iptables-nft -t nat -N KUBE-SERVICES");
  lab_.node.sh("iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES");
  lab_.node.sh("iptables-nft -t nat -N KUBE-KUBELET-CANARY");
  start_in_node();
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(eventually([&] {
    return !has(lab_.node.sh("iptables-nft-save -t nat"), "KUBE-SERVICES");
  })) << daemon_->said();
  EXPECT_TRUE(has(lab_.node.sh("iptables-nft-save -t nat"), "KUBE-KUBELET-CANARY"));
  EXPECT_FALSE(has(lab_.node.sh("nft list tables"), "kube-proxy"));
}

TEST_F(KubeProxyProgram, ChangesItsModeWithAStart) {
  const auto chains = [&] { return lab_.node.sh("iptables-nft-save -t nat"); };
  const auto change_to = [&](const std::string& mode) {
    if (daemon_) daemon_->end(SIGTERM);
    start_in_node({"--proxy-mode=" + mode});
    // The mode before it still answers while this one starts.
    EXPECT_TRUE(eventually([&] { return has(http("/proxyMode", 10249), "\r\n\r\n" + mode); }));
    EXPECT_TRUE(answers("here")) << daemon_->said();
  };
  change_to("nftables");
  change_to("iptables");
  EXPECT_TRUE(eventually([&] { return !has(lab_.node.sh("nft list tables"), "weft-services"); }))
      << daemon_->said();
  change_to("userspace");
  EXPECT_TRUE(eventually([&] { return !has(chains(), "KUBE-SERVICES"); })) << daemon_->said();
  EXPECT_TRUE(answers("here")) << daemon_->said();
  change_to("nftables");
  EXPECT_TRUE(eventually([&] { return !has(chains(), "KUBE-"); })) << daemon_->said();
  EXPECT_TRUE(answers("here"));
}

TEST_F(KubeProxyProgram, APortThatSomebodyHasIsTriedAgain) {
  std::optional<HttpServer> somebody;
  somebody.emplace([](const std::string&) { return HttpReply{.body = "somebody else's"}; });
  lab_.node.in([&] { must(somebody->listen(IpAddress::any(Family::kIpv6), 10'256)); });
  start_in_node();
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(has(daemon_->said(), "10256")) << daemon_->said();
  EXPECT_TRUE(has(daemon_->said(), "Address already in use")) << daemon_->said();
  EXPECT_TRUE(has(http("/proxyMode", 10249), "nftables")) << "the other port is its own";
  EXPECT_TRUE(has(http("/livez", 10256), "somebody else's"));
  somebody.reset();
  EXPECT_TRUE(eventually([&] { return has(http("/livez", 10256), "\"healthy\":true"); }))
      << daemon_->said();
}

TEST_F(KubeProxyProgram, EndsWithoutItsPortsWhereThatIsAskedFor) {
  HttpServer somebody([](const std::string&) { return HttpReply{}; });
  lab_.node.in([&] { must(somebody.listen(IpAddress::v4(0x7f000001), 10'249)); });
  const std::string said = run({"--store-dir=" + folder_, "--hostname-override=here",
                                "--status-socket=", "--bind-address-hard-fail"});
  EXPECT_EQ(said.substr(0, 2), "1 ") << said;
  EXPECT_TRUE(has(said, "10249")) << said;
  EXPECT_TRUE(has(said, "Address already in use")) << said;
}

TEST_F(KubeProxyProgram, TheDeviceOfIpvsGoes) {
  lab_.node.sh("ip link add name kube-ipvs0 type bridge");
  lab_.node.sh("ip addr add 10.96.0.10/32 dev kube-ipvs0");
  start_in_node();
  EXPECT_TRUE(answers("here"));
  EXPECT_TRUE(eventually([&] { return !has(lab_.node.sh("ip link"), "kube-ipvs0"); }))
      << daemon_->said();
  EXPECT_TRUE(answers("here"));
}

TEST_F(KubeProxyProgram, ANodeThatDoesNotFollowConnectionsIsSaid) {
  const std::string empty = dir_.path() + "/empty";
  must(make_directories(empty));
  // As where the module nf_conntrack is missing: there is nothing to be set.
  const std::string command = "mount --bind " + empty +
                              " /proc/sys/net/netfilter && exec " WEFTD
                              " kube-proxy --init-only --conntrack-max-per-core=1000 2>&1";
  const auto done = lab_.node.in([&] {
    return must(weft::run({.argv = {"unshare", "-m", "sh", "-c", command}}));
  });
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_TRUE(has(done.output, "the kernel follows no connections")) << done.output;
  EXPECT_TRUE(has(done.output, "load nf_conntrack")) << done.output;
}

TEST_F(KubeProxyProgram, EndsWhenItsConfigurationChanges) {
  const std::string config = dir_.path() + "/config/proxy.yaml";
  const std::string head =
      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
  must(make_directories(dir_.path() + "/config"));
  must(write_file_atomically(config, head + "colour: red\nconntrack: {maxPerCore: 0}\n", 0644));
  start_in_node({"--config=" + config});
  EXPECT_TRUE(answers("here")) << daemon_->said();
  EXPECT_TRUE(has(daemon_->said(), "there is no key colour"));
  must(write_file_atomically(config, head + "mode: nftables\n", 0644));
  EXPECT_TRUE(eventually([&] { return has(daemon_->said(), "proxy.yaml has changed"); }))
      << daemon_->said();
  EXPECT_TRUE(answers("here"));
}

TEST_F(KubeProxyProgram, RefusesWhatItCannotDo) {
  EXPECT_TRUE(
      has(run({"--proxy-mode=nftable", "--store-dir=" + folder_}), "did you mean nftables?"));
  EXPECT_TRUE(has(run({"--cluster-cidr=x"}), "2 "));
  EXPECT_TRUE(has(run({"--masquerade-al"}), "did you mean --masquerade-all?"));
  EXPECT_TRUE(has(run({"--config=/nowhere"}), "/nowhere"));
  EXPECT_TRUE(has(run({}), "KUBERNETES_SERVICE_HOST"));
}

TEST_F(KubeProxyProgram, WritesTheConfigurationOfItsFlags) {
  const std::string file = dir_.path() + "/written";
  EXPECT_EQ(run({"--write-config-to=" + file, "--cluster_cidr=10.244.0.0/16",
                 "--nodeport-addresses=10.0.0.0/8,fd00::/8"})
                .substr(0, 2),
            "0 ");
  const std::string text = must(read_file(file));
  EXPECT_TRUE(has(text, "clusterCIDR: 10.244.0.0/16\n")) << text;
  EXPECT_TRUE(has(text, "kind: KubeProxyConfiguration\n"));
  EXPECT_EQ(run({"--config=" + file, "--init-only"}).substr(0, 2), "0 ");
}

}  // namespace
}  // namespace weft::service
