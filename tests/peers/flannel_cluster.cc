#include "flannel_cluster.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "etcd_server.h"
#include "kube_site.h"
#include "store/http_client.h"
#include "support/go_peers.h"

namespace weft::test {
namespace {

constexpr std::uint16_t kHealthPort = 8081;
constexpr char kPrefix[] = "/coreos.com/network";

class EtcdCluster : public FlannelCluster {
 public:
  explicit EtcdCluster(const std::string& net_conf) {
    etcd_.put(std::string(kPrefix) + "/config", net_conf);
  }
  ~EtcdCluster() override { end_all(); }
  const kernel::Netns& outside() override { return hub_; }
  IpAddress outside_address() const override { return ip("192.0.2.254"); }

 private:
  Segment& segment() override { return segment_; }
  void admit(const Member&) override {}
  void dismiss(const Member& member) override {
    etcd_.erase(std::string(kPrefix) + "/subnets/" + member.env().lease_key().to_string());
  }
  void unpublish(const Member& member) override { dismiss(member); }
  std::vector<std::string> flags() const override {
    return {"--etcd-endpoints=http://192.0.2.254:" + std::to_string(etcd_.port())};
  }

  Segment segment_;
  kernel::Netns& hub_ = segment_.open_hub("192.0.2.254/24");
  kernel::NetnsVisit visit_ = must(kernel::NetnsVisit::enter(hub_));
  EtcdServer etcd_{EtcdServer::Tls::kNone, {}, "0.0.0.0"};
};

class KubeCluster : public FlannelCluster {
 public:
  explicit KubeCluster(const std::string& net_conf) {
    must(write_file_atomically(net_conf_file(), net_conf, 0644));
  }
  ~KubeCluster() override {
    end_all();
    const Json nodes = site_.server.call("GET", "/api/v1/nodes");
    for (const auto& node : nodes["items"]) site_.server.delete_node(node["metadata"]["name"]);
  }
  const kernel::Netns& outside() override { return site_.home->netns(); }
  IpAddress outside_address() const override { return ip("192.0.2.254"); }

 private:
  Segment& segment() override { return site_.segment; }
  void admit(const Member& member) override {
    // Without any annotation flannel's flanneld writes into a map that is not there.
    site_.server.create_node(member.name(), "10.244." + std::to_string(member.number) + ".0/24",
                             {{"example.com/any", "annotation"}}, member.address);
  }
  void dismiss(const Member& member) override { site_.server.delete_node(member.name()); }
  void unpublish(const Member& member) override {
    site_.server.annotate(member.name(), {{flannel_key("backend-data"), nullptr}});
  }
  std::vector<std::string> flags() const override {
    return {"--kube-subnet-mgr", "--kubeconfig-file=" + site_.server.kubeconfig(),
            "--net-config-path=" + net_conf_file()};
  }
  std::string net_conf_file() const { return files_.path() + "/net-conf.json"; }

  KubeSite& site_ = kube_site();
  TempDir files_;
};

bool says_ready(Member& member) {
  return member.node->in([] {
    const auto answer = http_call(
        HttpEndpoint::parse("http://127.0.0.1:" + std::to_string(kHealthPort), 80).value(), {},
        {.method = "GET", .path = "/readyz"}, {});
    return answer && answer->status == 200;
  });
}

bool reaches(const Pod& from, const Pod& to) {
  return eventually(
      [&] { return datagram_arrives(from, to, 100, std::chrono::milliseconds(200)); });
}

}  // namespace

SubnetEnv Member::env() const {
  return must(SubnetEnv::parse(must(read_file(node->subnet_file()))));
}

std::unique_ptr<FlannelCluster> FlannelCluster::create(StoreKind kind,
                                                       const std::string& net_conf) {
  if (kind == StoreKind::kEtcd) return std::make_unique<EtcdCluster>(net_conf);
  return std::make_unique<KubeCluster>(net_conf);
}

Member& FlannelCluster::join(int number, Program program) {
  auto& member = members_[number];
  member.reset(new Member{.number = number});
  member->address = "192.0.2." + std::to_string(number);
  member->node = segment().add_node({member->address + "/24"});
  // Whether the cluster uses IPv6 is for its net-conf.json to say.
  member->node->sh("ip addr add 2001:db8::" + std::to_string(number) + "/64 dev eth0 nodad");
  admit(*member);
  start(*member, program);
  member->pod = add_pod(*member->node, member->subnet(), member->env().mtu);
  return *member;
}

void FlannelCluster::start(Member& member, Program program) {
  std::vector<std::string> argv;
  if (program == Program::kFlannel)
    argv = {go_peer("flanneld")};
  else
    argv = {WEFTD, "flanneld"};
  const std::vector<std::string> common{"--iface=eth0", "--ip-masq",
                                        "--subnet-file=" + member.node->subnet_file(),
                                        "--healthz-port=" + std::to_string(kHealthPort)};
  const std::vector<std::string> of_store = flags();
  argv.insert(argv.end(), common.begin(), common.end());
  argv.insert(argv.end(), of_store.begin(), of_store.end());
  const bool started = member.node->in([&] {
    return member.daemon.start(argv, member.files.path() + "/log", {"NODE_NAME=" + member.name()});
  });
  if (started && eventually([&] { return says_ready(member); }, std::chrono::seconds(30))) return;
  // Thrown, so that on the way out everything that runs is ended.
  throw std::runtime_error(argv[0] + " of " + member.name() + " is not ready\n" + member.log());
}

void FlannelCluster::leave(Member& member) {
  member.daemon.end(SIGTERM);
  dismiss(member);
}

void FlannelCluster::forget_vtep(Member& member) {
  member.node->sh("ip link del flannel.1");
  unpublish(member);
}

void FlannelCluster::end_all() {
  for (const auto& [number, member] : members_) {
    member->daemon.end(SIGTERM);
    if (testing::Test::HasFailure())
      std::fprintf(stderr, "--- %s\n%s", member->name().c_str(), member->log().c_str());
  }
  members_.clear();
}

bool connected(const Member& one, const Member& other) {
  constexpr std::size_t kSome = 1 << 18;
  return reaches(*one.pod, *other.pod) && reaches(*other.pod, *one.pod) &&
         streams(*one.pod, *other.pod, kSome) && streams(*other.pod, *one.pod, kSome);
}

bool cut_off(const Member& from, const Member& to) {
  return eventually(
      [&] { return !datagram_arrives(*from.pod, *to.pod, 1, std::chrono::milliseconds(100)); });
}

}  // namespace weft::test
