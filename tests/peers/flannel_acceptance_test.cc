// Flannel's own acceptance list, with weftd in flanneld's place: the cases of its `functional`
// and `e2e` suites under their names, on two nodes on one segment.
#include "etcd_server.h"
#include "flannel_cluster.h"
#include "kube_site.h"
#include "support/ping.h"

namespace weft::test {
namespace {

constexpr auto kOurs = Program::kWeft;
constexpr char kNetwork[] = "10.244.0.0/16";
constexpr char kNetworkV6[] = "fd00:244::/48";

struct Backend {
  std::string name;
  std::string type;
  bool nftables = false;
};

std::string name_of(const testing::TestParamInfo<Backend>& instance) {
  return instance.param.name;
}
std::string net_conf(const Backend& backend, const std::string& more = "") {
  return R"({"Network":")" + std::string(kNetwork) + R"(","EnableNFTables":)" +
         (backend.nftables ? "true" : "false") + "," + more + R"("Backend":{"Type":")" +
         backend.type + R"("}})";
}

bool pods_ping(const Member& one, const Member& other) {
  const auto ping = [](const Pod& from, const Pod& to) {
    return eventually([&] { return pings(from.netns, from.address, to.address); });
  };
  return ping(*one.pod, *other.pod) && ping(*other.pod, *one.pod);
}

// --- functional: etcd backends

class EtcdBackends : public testing::TestWithParam<Backend> {};

// From the node's own address in its subnet, as that suite does it.
TEST_P(EtcdBackends, PingsBetweenTwoFlannelHosts) {
  const auto cluster = FlannelCluster::create(StoreKind::kEtcd, net_conf(GetParam()));
  Member& one = cluster->join(1, kOurs);
  Member& two = cluster->join(2, kOurs);
  const auto own = [](const Member& member) { return member.subnet().address().plus(1).value(); };
  for (const auto& [from, to] : {std::pair(&one, &two), std::pair(&two, &one)})
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(eventually([&] { return pings(from->node->netns(), own(*from), own(*to)); }));
}
INSTANTIATE_TEST_SUITE_P(, EtcdBackends,
                         testing::Values(Backend{"vxlan", "vxlan"}, Backend{"udp", "udp"},
                                         Backend{"host_gw", "host-gw"}),
                         name_of);

// --- functional: multi (vxlan+host-gw dual networks)

class Multi : public testing::Test {
 protected:
  struct Host {
    std::unique_ptr<Node> node;
    TempDir files = {};
    std::map<std::string, ServerProcess> daemons = {};

    std::string env_file(const std::string& network) const {
      return files.path() + "/" + network + ".env";
    }
    std::string log(const std::string& network) const {
      return must(read_file(files.path() + "/" + network + ".log"));
    }
    // What one puts is no drift to the other: each has repaired what was taken, and no more.
    void expect_peace() const {
      for (const std::string network : {"vxlan", "hostgw"}) {
        EXPECT_EQ(log(network).find("undone again"), std::string::npos) << log(network);
        EXPECT_EQ(log(network).find("weft.sock"), std::string::npos) << log(network);
      }
    }
    IpAddress address_in(const std::string& network) const {
      const auto env = must(SubnetEnv::parse(must(read_file(env_file(network)))));
      return env.subnets.at(Family::kIpv4).address().plus(1).value();
    }
  };
  std::unique_ptr<Host> make_host(int number) {
    auto host = std::unique_ptr<Host>(
        new Host{.node = segment_.add_node({"192.0.2." + std::to_string(number) + "/24"})});
    host->node->sh("ip route add default via 192.0.2.254");
    for (const std::string network : {"vxlan", "hostgw"}) {
      const std::vector<std::string> argv{
          WEFTD,
          "flanneld",
          "-etcd-prefix=/" + network + "/network",
          "-subnet-file",
          host->env_file(network),
          "-ip-masq",
          "--etcd-endpoints=http://192.0.2.254:" + std::to_string(etcd_.port())};
      host->node->in([&] {
        EXPECT_TRUE(
            host->daemons[network].start(argv, host->files.path() + "/" + network + ".log"));
      });
    }
    for (const std::string network : {"vxlan", "hostgw"}) {
      EXPECT_TRUE(eventually([&] { return std::filesystem::exists(host->env_file(network)); }));
      host->node->sh("ip link add name " + network + " type veth peer name far-" + network);
      host->node->sh("ip addr add " + host->address_in(network).to_string() + "/24 dev " + network);
      host->node->sh("ip link set far-" + network + " up");
      host->node->sh("ip link set " + network + " up");
    }
    return host;
  }

  Segment segment_;
  kernel::NetnsVisit visit_ = must(kernel::NetnsVisit::enter(segment_.open_hub("192.0.2.254/24")));
  EtcdServer etcd_{EtcdServer::Tls::kNone, {}, "0.0.0.0"};
};

TEST_F(Multi, RoutesTrafficOverTheCorrectBackend) {
  etcd_.put("/vxlan/network/config", R"({"Network":"10.11.0.0/16","Backend":{"Type":"vxlan"}})");
  etcd_.put("/hostgw/network/config", R"({"Network":"10.12.0.0/16","Backend":{"Type":"host-gw"}})");
  const auto one = make_host(1);
  const auto two = make_host(2);
  const auto ping = [&](const std::string& network, const std::string& device = "") {
    return pings(two->node->netns(), IpAddress::any(Family::kIpv4), one->address_in(network),
                 device);
  };
  EXPECT_TRUE(eventually([&] { return ping("hostgw"); }));
  EXPECT_TRUE(eventually([&] { return ping("vxlan"); }));
  EXPECT_TRUE(ping("vxlan", "flannel.1"));
  EXPECT_TRUE(ping("hostgw", "eth0"));
  EXPECT_FALSE(ping("hostgw", "flannel.1"));
  EXPECT_FALSE(ping("vxlan", "eth0"));
}

// Both daemons of a host use the same chains: flannel's two leave each other's rules alone.
TEST_F(Multi, TheRulesOfBothNetworksStand) {
  etcd_.put("/vxlan/network/config", R"({"Network":"10.11.0.0/16","Backend":{"Type":"vxlan"}})");
  etcd_.put("/hostgw/network/config", R"({"Network":"10.12.0.0/16","Backend":{"Type":"host-gw"}})");
  const auto host = make_host(1);
  const auto rules = [&] {
    return host->node->sh("iptables -w -S FLANNEL-FWD") +
           host->node->sh("iptables -w -t nat -S FLANNEL-POSTRTG");
  };
  const auto complete = [&] {
    const std::string text = rules();
    return text.find("-s 10.11.0.0/16 -m") != std::string::npos &&
           text.find("-s 10.12.0.0/16 -m") != std::string::npos &&
           text.find("-s 10.11.0.0/16 ! -d") != std::string::npos &&
           text.find("-s 10.12.0.0/16 ! -d") != std::string::npos;
  };
  EXPECT_TRUE(eventually(complete)) << rules();
  host->node->sh("iptables -w -F FLANNEL-FWD");
  EXPECT_TRUE(eventually(complete)) << rules();
  host->node->sh("iptables -w -t nat -F FLANNEL-POSTRTG");
  EXPECT_TRUE(eventually(complete)) << rules();
  host->expect_peace();
}

// There each has a table of its own: flannel's two undo each other's rules in the one table.
TEST_F(Multi, TheRulesOfBothNetworksStandInNftablesMode) {
  const auto configure = [&](const std::string& network, const std::string& conf) {
    etcd_.put("/" + network + "/network/config", R"({"EnableNFTables":true,)" + conf + "}");
  };
  configure("vxlan", R"("Network":"10.11.0.0/16","Backend":{"Type":"vxlan"})");
  configure("hostgw", R"("Network":"10.12.0.0/16","Backend":{"Type":"host-gw"})");
  const auto host = make_host(1);
  const auto rules = [&] { return host->node->sh("nft list ruleset"); };
  const auto complete = [&] {
    const std::string text = rules();
    for (const std::string network : {"10.11.0.0/16", "10.12.0.0/16"})
      for (const std::string& rule :
           {"ip saddr " + network + " accept",
            "ip saddr " + network + " ip daddr != 224.0.0.0/4 masquerade"})
        if (text.find(rule) == std::string::npos) return false;
    return true;
  };
  EXPECT_TRUE(eventually(complete)) << rules();
  host->node->sh("nft flush ruleset");
  EXPECT_TRUE(eventually(complete)) << rules();
  host->expect_peace();
}

// --- functional: kube apiserver

TEST(KubeApiserver, PublicIpOverwriteAnnotationPropagates) {
  const auto cluster = FlannelCluster::create(StoreKind::kKubernetes, net_conf({"", "vxlan"}));
  Member& one = cluster->join(1, kOurs);
  Member& two = cluster->join(2, Program::kFlannel);
  const auto& server = kube_site().server;
  one.daemon.end(SIGTERM);
  server.annotate(one.name(), {{flannel_key("public-ip-overwrite"), "172.18.0.2"}});
  cluster->start(one, kOurs);
  EXPECT_TRUE(
      eventually([&] { return server.annotation(one.name(), "public-ip") == "172.18.0.2"; }));
  // It is where the other one's flanneld sends to.
  EXPECT_TRUE(eventually([&] {
    return two.node->sh("bridge fdb show dev flannel.1").find("dst 172.18.0.2") !=
           std::string::npos;
  }));
}

// --- e2e: flannel backends, flannel dual-stack backends

// What that suite compares: kube-proxy's chains are there first.
constexpr char kKubeProxyChains[] =
    "*filter\n"
    ":KUBE-PROXY-FIREWALL - [0:0]\n:KUBE-FORWARD - [0:0]\n:KUBE-SERVICES - [0:0]\n"
    ":KUBE-EXTERNAL-SERVICES - [0:0]\n"
    "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer "
    "firewall\" -j KUBE-PROXY-FIREWALL\n"
    "-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD\n"
    "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j "
    "KUBE-SERVICES\n"
    "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible "
    "service portals\" -j KUBE-EXTERNAL-SERVICES\n"
    "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
    "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark "
    "0x4000/0x4000 -j ACCEPT\n"
    "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack "
    "--ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "COMMIT\n";

std::string lines_with(const std::string& text, const std::string& word) {
  std::string kept;
  for (const auto& line : split(text, '\n'))
    if (line.find(word) != std::string::npos) kept += line + "\n";
  return kept;
}

std::string iptables_masquerade(const std::string& p, const std::string& c,
                                const std::string& multicast) {
  const std::string a = "-A FLANNEL-POSTRTG ";
  const std::string comment = " -m comment --comment \"flanneld masq\" -j ";
  return "-A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG\n"
         "-N FLANNEL-POSTRTG\n" +
         a + "-m mark --mark 0x4000/0x4000" + comment + "RETURN\n" +  //
         a + "-s " + p + " -d " + c + comment + "RETURN\n" +          //
         a + "-s " + c + " -d " + p + comment + "RETURN\n" +          //
         a + "! -s " + c + " -d " + p + comment + "RETURN\n" +        //
         a + "-s " + c + " ! -d " + multicast + comment + "MASQUERADE --random-fully\n" + a +
         "! -s " + c + " -d " + c + comment + "MASQUERADE --random-fully\n";
}

std::string iptables_forward(const std::string& c) {
  std::string kube_proxys = lines_with(kKubeProxyChains, "-A FORWARD");
  return "-P FORWARD ACCEPT\n" + kube_proxys +
         "-A FORWARD -m comment --comment \"flanneld forward\" -j FLANNEL-FWD\n"
         "-N FLANNEL-FWD\n"
         "-A FLANNEL-FWD -s " +
         c +
         " -m comment --comment \"flanneld forward\" -j ACCEPT\n"
         "-A FLANNEL-FWD -d " +
         c + " -m comment --comment \"flanneld forward\" -j ACCEPT\n";
}

// As flannel's, but for the mark, which is compared under its mask, and for the fourth rule,
// which returns for the node's own subnet only (see masquerade_plan.h).
std::string nft_masquerade(const std::string& ip, const std::string& p, const std::string& c,
                           const std::string& multicast) {
  return "meta mark & 0x00004000 == 0x00004000 return\n" + ip + " saddr " + p + " " + ip +
         " daddr " + c + " return\n" + ip + " saddr " + c + " " + ip + " daddr " + p + " return\n" +
         ip + " saddr != " + c + " " + ip + " daddr " + p + " return\n" + ip + " saddr " + c + " " +
         ip + " daddr != " + multicast + " masquerade fully-random\n" + ip + " saddr != " + c +
         " " + ip + " daddr " + c + " masquerade fully-random\n";
}

// The lines of a chain that are rules.
std::string rules_of(const std::string& listing) {
  std::string rules;
  for (const auto& line : split(listing, '\n')) {
    const auto begin = line.find_first_not_of('\t');
    if (begin != 2 || line.find("type ") == begin || line.find("comment \"") == begin) continue;
    rules += line.substr(begin) + "\n";
  }
  return rules;
}

class FlannelBackends : public testing::TestWithParam<Backend> {
 protected:
  static void run_kube_proxy(Member& member, const std::string& program) {
    member.node->in([&] {
      must(run_or_fail({.argv = {program + "-restore", "--noflush"}, .input = kKubeProxyChains}));
    });
  }
  static void expect_rules(Member& member, Family family) {
    const bool v4 = family == Family::kIpv4;
    const std::string c = v4 ? kNetwork : kNetworkV6;
    const std::string p = member.env().subnets.at(family).to_string();
    const std::string multicast = v4 ? "224.0.0.0/4" : "ff00::/8";
    if (GetParam().nftables) {
      const std::string ip = v4 ? "ip" : "ip6";
      const std::string list = "nft list chain " + ip + " flannel-" + (v4 ? "ipv4 " : "ipv6 ");
      EXPECT_EQ(rules_of(member.node->sh(list + "postrtg")), nft_masquerade(ip, p, c, multicast));
      EXPECT_EQ(rules_of(member.node->sh(list + "forward")),
                ip + " saddr " + c + " accept\n" + ip + " daddr " + c + " accept\n");
      return;
    }
    const std::string program = v4 ? "iptables" : "ip6tables";
    EXPECT_EQ(lines_with(member.node->sh(program + " -t nat -S POSTROUTING"), "FLANNEL") +
                  member.node->sh(program + " -t nat -S FLANNEL-POSTRTG"),
              iptables_masquerade(p, c, multicast));
    EXPECT_EQ(member.node->sh(program + " -t filter -S FORWARD") +
                  member.node->sh(program + " -t filter -S FLANNEL-FWD"),
              iptables_forward(c));
  }
};

TEST_P(FlannelBackends, ProvidesPodToPodConnectivity) {
  const auto cluster = FlannelCluster::create(StoreKind::kKubernetes, net_conf(GetParam()));
  std::vector<Member*> members;
  for (const int number : {1, 2}) {
    members.push_back(&cluster->join(number, kOurs));
    members.back()->daemon.end(SIGTERM);
    members.back()->node->sh("nft flush ruleset");
    run_kube_proxy(*members.back(), "iptables");
    cluster->start(*members.back(), kOurs);
  }
  EXPECT_TRUE(pods_ping(*members[0], *members[1]));
  for (Member* member : members) expect_rules(*member, Family::kIpv4);
  EXPECT_TRUE(streams(*members[0]->pod, *members[1]->pod, 8 << 20));
}
INSTANTIATE_TEST_SUITE_P(, FlannelBackends,
                         testing::Values(Backend{"vxlan", "vxlan"},
                                         Backend{"vxlan_nftables", "vxlan", true},
                                         Backend{"host_gw", "host-gw"}, Backend{"udp", "udp"}),
                         name_of);

using FlannelDualStackBackends = FlannelBackends;

// The pod's second address, behind the node's.
IpAddress add_ipv6(Member& member) {
  const Prefix subnet = member.env().subnets.at(Family::kIpv6);
  const IpAddress address = subnet.address().plus(10).value();
  const IpAddress gateway = subnet.address().plus(1).value();
  member.node->in([] { must(kernel::write_sysctl("net/ipv6/conf/all/forwarding", "1")); });
  member.node->sh("ip addr add " + gateway.to_string() + "/64 dev pod0 nodad");
  inside(member.pod->netns, [&] {
    must(run_or_fail(
        {.argv = {"ip", "addr", "add", address.to_string() + "/64", "dev", "eth0", "nodad"}}));
    must(run_or_fail({.argv = {"ip", "route", "add", "default", "via", gateway.to_string()}}));
  });
  return address;
}

TEST_P(FlannelDualStackBackends, ProvidesPodToPodConnectivity) {
  const std::string more =
      R"("EnableIPv6":true,"IPv6Network":")" + std::string(kNetworkV6) + R"(",)";
  const auto cluster = FlannelCluster::create(StoreKind::kEtcd, net_conf(GetParam(), more));
  std::vector<Member*> members;
  std::vector<IpAddress> addresses;
  for (const int number : {1, 2}) {
    members.push_back(&cluster->join(number, kOurs));
    members.back()->daemon.end(SIGTERM);
    members.back()->node->sh("nft flush ruleset");
    run_kube_proxy(*members.back(), "iptables");
    run_kube_proxy(*members.back(), "ip6tables");
    cluster->start(*members.back(), kOurs);
    addresses.push_back(add_ipv6(*members.back()));
  }
  EXPECT_TRUE(pods_ping(*members[0], *members[1]));
  for (const std::size_t from : {0U, 1U})
    EXPECT_TRUE(eventually(
        [&] { return pings(members[from]->pod->netns, addresses[from], addresses[1 - from]); }));
  for (Member* member : members)
    for (const Family family : {Family::kIpv4, Family::kIpv6}) expect_rules(*member, family);
}
INSTANTIATE_TEST_SUITE_P(, FlannelDualStackBackends,
                         testing::Values(Backend{"vxlan", "vxlan"},
                                         Backend{"vxlan_nftables", "vxlan", true},
                                         Backend{"host_gw", "host-gw"}),
                         name_of);

// --- e2e: flannel service and DNS

class FlannelServiceAndDns : public testing::Test {
 protected:
  static constexpr char kServices[] = "/api/v1/namespaces/default/services";
  static constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

  ~FlannelServiceAndDns() override {
    for (const std::string name : {"web", "dns"}) {
      server_.call("DELETE", std::string(kServices) + "/" + name);
      server_.call("DELETE", std::string(kSlices) + "/" + name);
    }
  }

  // A Service with one endpoint; returns its address.
  IpAddress create_service(const std::string& name, const std::string& protocol, int port,
                           const IpAddress& endpoint, int endpoint_port) {
    server_.call(
        "POST", kSlices,
        {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", name}}}}},
         {"addressType", "IPv4"},
         {"endpoints", {{{"addresses", {endpoint.to_string()}}}}},
         {"ports", {{{"port", endpoint_port}, {"protocol", protocol}}}}});
    const Json made =
        server_.call("POST", kServices,
                     {{"metadata", {{"name", name}}},
                      {"spec", {{"ports", {{{"port", port}, {"protocol", protocol}}}}}}});
    return IpAddress::parse(made["spec"]["clusterIP"].get<std::string>()).value();
  }
  void start(Member& member, const std::string& program, const std::vector<std::string>& more) {
    std::vector<std::string> argv{WEFTD, program};
    argv.insert(argv.end(), more.begin(), more.end());
    member.node->in([&] {
      EXPECT_TRUE(daemons_[member.name() + " " + program].start(
          argv, files_.path() + "/" + member.name() + "." + program));
    });
  }
  std::string said() const {
    std::string all;
    for (const auto& name : must(list_directory(files_.path())))
      all += name + "\n" + must(read_file(files_.path() + "/" + name));
    return all;
  }

  std::unique_ptr<FlannelCluster> cluster_ =
      FlannelCluster::create(StoreKind::kKubernetes, net_conf({"", "vxlan"}));
  Member& one_ = cluster_->join(1, kOurs);
  Member& two_ = cluster_->join(2, kOurs);
  const KubeServer& server_ = kube_site().server;
  TempDir files_;
  std::map<std::string, ServerProcess> daemons_;
};

// Through all that weft has for a node: the pod of one looks up the Service's name at the DNS
// Service, whose server is on the other, and reaches the pod there by the address that it is told.
TEST_F(FlannelServiceAndDns, ResolvesAndReachesAClusterIpServiceAcrossNodes) {
  const IpAddress web = create_service("web", "TCP", 80, two_.pod->address, 8080);
  const IpAddress dns =
      create_service("dns", "UDP", 53, IpAddress::parse(two_.address).value(), 53);
  for (Member* member : {&one_, &two_})
    start(*member, "kube-proxy",
          {"--kubeconfig=" + server_.admin_kubeconfig(), "--hostname-override=" + member->name()});
  must(write_file_atomically(files_.path() + "/Corefile",
                             ".:53 {\n  errors\n  kubernetes cluster.local {\n    kubeconfig " +
                                 server_.admin_kubeconfig() + "\n  }\n}\n",
                             0644));
  start(two_, "coredns", {"-conf", files_.path() + "/Corefile"});

  const auto resolved = [&] {
    return inside(one_.pod->netns, [&] {
      return must(run({.argv = {"dig", "+short", "+tries=1", "+time=1", "@" + dns.to_string(),
                                "web.default.svc.cluster.local"}}))
          .output;
    });
  };
  EXPECT_TRUE(
      eventually([&] { return resolved() == web.to_string() + "\n"; }, std::chrono::seconds(30)))
      << resolved() << said();
  EXPECT_TRUE(eventually([&] {
    return streams(*one_.pod, *two_.pod, 1 << 20,
                   Front{.address = web, .port = 80, .behind = 8080});
  })) << said();
}

// --- e2e: flannel resilience

class FlannelResilience : public testing::Test {
 protected:
  std::unique_ptr<FlannelCluster> cluster_ =
      FlannelCluster::create(StoreKind::kKubernetes, net_conf({"", "vxlan"}));
  Member& one_ = cluster_->join(1, kOurs);
  Member& two_ = cluster_->join(2, kOurs);
};

TEST_F(FlannelResilience, RecoversPodConnectivityAfterAPodIsDeletedAndRecreated) {
  ASSERT_TRUE(pods_ping(one_, two_));
  one_.pod.reset();
  ASSERT_TRUE(eventually([&] { return !must(one_.node->rtnetlink().link("pod0")); }));
  one_.pod = add_pod(*one_.node, one_.subnet(), one_.env().mtu);
  EXPECT_TRUE(pods_ping(one_, two_));
}

TEST_F(FlannelResilience, PreservesConnectivityAndSubnetLeasesAcrossADaemonSetRestart) {
  ASSERT_TRUE(pods_ping(one_, two_));
  for (Member* member : {&one_, &two_}) {
    const auto subnet_line = [&] {
      return lines_with(must(read_file(member->node->subnet_file())), "FLANNEL_SUBNET=");
    };
    const std::string before = subnet_line();
    ASSERT_NE(before, "");
    member->daemon.end(SIGTERM);
    cluster_->start(*member, kOurs);
    EXPECT_EQ(subnet_line(), before);
  }
  EXPECT_TRUE(pods_ping(one_, two_));
}

}  // namespace
}  // namespace weft::test
