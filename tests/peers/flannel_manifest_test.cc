// Flannel's own manifest with weft's programs in its image's place: "change the image, keep the
// manifests". What a kubelet would do is done here: the ConfigMap becomes files, the container's
// command is run with its arguments and environment, in a mount namespace with its volumes.
#include <filesystem>

#include "base/yaml.h"
#include "kube_site.h"
#include "store/http_client.h"
#include "support/go_peers.h"
#include "support/ping.h"

namespace weft::test {
namespace {

// Its own /run, /etc and /var/lib, then the program in the shell's place.
constexpr char kContainer[] =
    "set -e; folder=$1; shift; mount -t tmpfs none /run; mount -t tmpfs none /var/lib; "
    "mkdir -p /run/flannel /run/secrets/kubernetes.io; "
    "ln -s \"$folder/account\" /run/secrets/kubernetes.io/serviceaccount; "
    "cp -a /etc \"$folder/etc\"; mv \"$folder/config\" \"$folder/etc/kube-flannel\"; "
    "mount --bind \"$folder/etc\" /etc; exec \"$@\"";

struct Machine {
  std::string name;
  std::unique_ptr<Node> node = {};
  std::unique_ptr<kernel::Netns> pod = {};
  std::optional<IpAddress> pod_address = {};
  TempDir folder = {};
  ServerProcess daemon = {};

  std::string log() const { return read_file(folder.path() + "/log").value_or(""); }
};

class KubeFlannelManifest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& document : must(parse_yaml(must(read_file(go_peer("kube-flannel.yml"))))))
      documents_[document["kind"]] = document;
    for (const auto& [kind, document] : documents_) apply(document);
  }
  void TearDown() override {
    for (auto& machine : machines_) {
      machine->daemon.end(SIGTERM);
      if (HasFailure())
        std::fprintf(stderr, "--- %s\n%s", machine->name.c_str(), machine->log().c_str());
      server_.delete_node(machine->name);
      server_.call("DELETE", kPods + ("/flannel-on-" + machine->name) + "?gracePeriodSeconds=0");
    }
  }

  // kubectl apply --server-side.
  void apply(const Json& object) {
    static const std::map<std::string, std::string> kPlaces{
        {"Namespace", "/api/v1/namespaces"},
        {"ServiceAccount", "/api/v1/namespaces/kube-flannel/serviceaccounts"},
        {"ConfigMap", "/api/v1/namespaces/kube-flannel/configmaps"},
        {"ClusterRole", "/apis/rbac.authorization.k8s.io/v1/clusterroles"},
        {"ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"},
        {"DaemonSet", "/apis/apps/v1/namespaces/kube-flannel/daemonsets"}};
    const std::string name = object["metadata"]["name"];
    const Json answer = server_.call(
        "PATCH", kPlaces.at(object["kind"]) + "/" + name + "?fieldManager=kubectl&force=true",
        object, "application/apply-patch+yaml");
    EXPECT_EQ(answer["metadata"].value("name", ""), name);
  }

  const Json& container() {
    return documents_["DaemonSet"]["spec"]["template"]["spec"]["containers"][0];
  }

  // What a container of this pod finds in its environment.
  std::vector<std::string> environment(const std::string& pod) {
    const std::string url = server_.url("192.0.2.254");
    std::vector<std::string> result{"KUBERNETES_SERVICE_HOST=192.0.2.254",
                                    "KUBERNETES_SERVICE_PORT=" + url.substr(url.rfind(':') + 1)};
    for (const auto& entry : container()["env"]) {
      const std::string name = entry["name"];
      if (entry.contains("value")) {
        result.push_back(name + "=" + std::string(entry["value"]));
      } else {
        const std::string field = entry["valueFrom"]["fieldRef"]["fieldPath"];
        result.push_back(name + "=" + (field == "metadata.name" ? pod : "kube-flannel"));
      }
    }
    return result;
  }

  void mount_files(const Machine& machine) {
    const std::string folder = machine.folder.path();
    for (const std::string name : {"/config", "/account"})
      std::filesystem::create_directory(folder + name);
    for (const auto& [name, text] : documents_["ConfigMap"]["data"].items())
      must(write_file_atomically(folder + "/config/" + name, std::string(text), 0644));
    std::filesystem::copy(server_.file("ca.pem"), folder + "/account/ca.crt");
    std::filesystem::copy(server_.token_file(), folder + "/account/token");
    std::filesystem::create_symlink(WEFTD, folder + "/flanneld");
    for (const std::string plugin : {"flannel", "bridge", "host-local"})
      std::filesystem::create_symlink(WEFT_CNI, folder + "/" + plugin);
  }

  Machine& add_machine(int number) {
    const std::string n = std::to_string(number);
    machines_.emplace_back(new Machine{.name = "machine-" + n});
    Machine& machine = *machines_.back();
    machine.node = site_.segment.add_node({"192.0.2." + n + "/24"});
    machine.node->sh("ip route add default via 192.0.2.254");
    server_.create_node(machine.name, "10.244." + n + ".0/24", Json::object(), "192.0.2." + n);
    const std::string pod = "flannel-on-" + machine.name;
    server_.call("POST", kPods,
                 {{"metadata", {{"name", pod}}},
                  {"spec",
                   {{"nodeName", machine.name},
                    {"containers", Json::array({{{"name", "c"}, {"image", "weft"}}})}}}});
    mount_files(machine);
    std::vector<std::string> argv{
        "unshare", "--mount", "sh", "-c", kContainer, "sh", machine.folder.path()};
    const std::string command = container()["command"][0];
    argv.push_back(machine.folder.path() + command.substr(command.rfind('/')));
    for (const auto& argument : container()["args"]) argv.push_back(argument);
    machine.node->in([&] {
      EXPECT_TRUE(machine.daemon.start(argv, machine.folder.path() + "/log", environment(pod)));
    });
    return machine;
  }

  // A probe of the manifest, at its port.
  bool passes(Machine& machine, const std::string& probe) {
    const std::string port = std::to_string(int{container()["ports"][0]["containerPort"]});
    const std::string path = container()[probe]["httpGet"]["path"];
    return machine.node->in([&] {
      const auto answer = http_call(HttpEndpoint::parse("http://127.0.0.1:" + port, 80).value(), {},
                                    {.method = "GET", .path = path}, {});
      return answer && answer->status == 200;
    });
  }

  // The first plugin of cni-conf.json, as a runtime calls it on that machine.
  void add_pod(Machine& machine) {
    const Json list =
        parse_json(std::string(documents_["ConfigMap"]["data"]["cni-conf.json"])).value();
    Json config = list["plugins"][0];
    config["name"] = list["name"];
    config["cniVersion"] = list["cniVersion"];
    machine.pod = std::make_unique<kernel::Netns>(must(kernel::Netns::create()));
    const std::string pid = std::to_string(machine.daemon.pid());
    const std::string netns =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(machine.pod->fd());
    const Json result =
        parse_json(
            must(run_or_fail({.argv = {"nsenter", "--target=" + pid, "--mount", "--net", "env",
                                       "CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_IFNAME=eth0",
                                       "CNI_NETNS=" + netns, "CNI_PATH=" + machine.folder.path(),
                                       machine.folder.path() + "/flannel"},
                              .input = to_text(config)})))
            .value();
    const std::string address = result["ips"][0]["address"];
    machine.pod_address = InterfaceAddress::parse(address).value().address;
  }

  static constexpr const char* kPods = "/api/v1/namespaces/kube-flannel/pods";
  KubeSite& site_ = kube_site();
  KubeServer& server_ = site_.server;
  std::map<std::string, Json> documents_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

TEST_F(KubeFlannelManifest, IsAcceptedAndRunsUnchanged) {
  Machine& one = add_machine(1);
  Machine& two = add_machine(2);
  for (Machine* machine : {&one, &two}) {
    ASSERT_TRUE(eventually([&] { return passes(*machine, "readinessProbe"); })) << machine->log();
    EXPECT_TRUE(passes(*machine, "livenessProbe"));
    EXPECT_EQ(server_.annotation(machine->name, "backend-type"), "vxlan");
    EXPECT_EQ(server_.annotation(machine->name, "kube-subnet-manager"), "true");
    add_pod(*machine);
  }
  EXPECT_TRUE(eventually([&] { return pings(*one.pod, *one.pod_address, *two.pod_address); }));
  EXPECT_TRUE(eventually([&] { return pings(*two.pod, *two.pod_address, *one.pod_address); }));
  EXPECT_EQ(one.pod_address, ip("10.244.1.2"));
}

}  // namespace
}  // namespace weft::test
