#include "lab/pods.h"

#include <unistd.h>

#include "base/files.h"
#include "kernel/netns.h"
#include "lab/cluster_dns.h"
#include "lab/cni_runtime.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "lab/underlay.h"

namespace weft::lab {
namespace {

const char* const kPlugins[] = {"bridge", "flannel", "host-local", "loopback", "portmap"};

// The ConfigMap's cni-conf.json of kube-flannel.yml, without portmap: a lab maps no host ports.
const char* const kNetworkList = R"({
  "name": "cbr0",
  "cniVersion": "1.0.0",
  "plugins": [
    {
      "type": "flannel",
      "delegate": {
        "hairpinMode": true,
        "isDefaultGateway": true
      }
    }
  ]
}
)";
const char* const kLoopbackList = R"({
  "name": "cni-loopback",
  "cniVersion": "1.0.0",
  "plugins": [{"type": "loopback"}]
})";

std::string plugin_folder(const std::string& lab) {
  return state_folder(lab) + "/cni-bin";
}

std::string network_list_file(const std::string& lab, const std::string& node) {
  return node_folder(lab, node) + "/net.d/10-flannel.conflist";
}

CniAttachment attachment_of(const Lab& lab, const Pod& pod, const char* ifname) {
  // The name that host-local knows a wish for an address by.
  const std::string wish = pod.address ? ";IP=" + pod.address->to_string() : "";
  return {.container = netns_name(lab.name, pod.name),
          .netns = netns_path(lab.name, pod.name),
          .ifname = ifname,
          .arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=" + pod.space +
                       ";K8S_POD_NAME=" + pod.name + wish};
}

Result<Json> network_list(const Lab& lab, const std::string& node) {
  ASSIGN_OR_RETURN(const std::string text, read_file(network_list_file(lab.name, node)));
  return parse_json(text);
}

// Runs in the node.
Status wire(const Lab& lab, const Json& list, const Pod& pod) {
  const CniRuntime runtime{.plugins = plugin_folder(lab.name)};
  ASSIGN_OR_RETURN(const Json loopback, parse_json(kLoopbackList));
  if (auto result = runtime.add(loopback, attachment_of(lab, pod, "lo")); !result)
    return because("pod " + pod.name, result.error());
  if (auto result = runtime.add(list, attachment_of(lab, pod, "eth0")); !result)
    return because("pod " + pod.name, result.error());
  return {};
}

std::string pod_log(const Lab& lab, const Pod& pod) {
  return node_folder(lab.name, pod.node) + "/" + pod.name + ".log";
}

std::vector<std::string> responder_command(const Programs& programs, const std::string& name,
                                           const std::string& node,
                                           const std::vector<ContainerPort>& ports = {}) {
  std::vector<std::string> argv = {programs.weft, "responder", "--name=" + name, "--node=" + node,
                                   "--ready-fd=" + std::to_string(kReadyFd)};
  for (const auto& port : ports) argv.push_back("--port=" + std::to_string(port.port));
  return argv;
}

Status start_program(const Lab& lab, const Programs& programs, const Pod& pod) {
  Daemon daemon{.argv = pod.command, .log = pod_log(lab, pod)};
  daemon.tells_ready = daemon.argv.empty();
  if (daemon.argv.empty()) daemon.argv = responder_command(programs, pod.name, pod.node, pod.ports);
  // The one program that a manifest may name without its path: where it is, is the lab's matter.
  if (daemon.argv.front() == "weftd") daemon.argv.front() = programs.weftd;
  for (const auto& [name, value] : pod.environment)
    daemon.environment.push_back(name + "=" + value);
  return in_netns(lab.name, pod.name, [&]() -> Status {
    ASSIGN_OR_RETURN(const pid_t pid, start_daemon(daemon));
    static_cast<void>(pid);  // found again by its namespace
    return {};
  });
}

}  // namespace

Status install_plugins(const std::string& lab, const Programs& programs) {
  const std::string folder = plugin_folder(lab);
  RETURN_IF_ERROR(make_directories(folder));
  for (const char* plugin : kPlugins) {
    const std::string link = folder + "/" + plugin;
    if (::symlink(programs.cni.c_str(), link.c_str()) != 0 && errno != EEXIST)
      return fail_errno("linking " + link);
  }
  return {};
}

Status write_network_list(const Lab& lab, const std::string& node) {
  ASSIGN_OR_RETURN(Json list, parse_json(kNetworkList));
  list["plugins"][0]["delegate"]["bridge"] = lab.bridge;
  // Where the agent does not masquerade, the flannel plugin tells the bridge to do so instead.
  if (!lab.ip_masq) list["plugins"][0]["delegate"]["ipMasq"] = false;
  return write_file_atomically(network_list_file(lab.name, node), list.dump(2) + "\n", 0644);
}

Status add_pods(const Lab& lab, const Programs& programs, const std::string& node,
                const std::vector<Pod>& pods) {
  for (const auto& pod : pods) RETURN_IF_ERROR(make_namespace(lab.name, pod.name));
  ASSIGN_OR_RETURN(const Json list, network_list(lab, node));
  const Status wired = in_node(lab.name, node, [&]() -> Status {
    for (const auto& pod : pods) RETURN_IF_ERROR(wire(lab, list, pod));
    return {};
  });
  RETURN_IF_ERROR(wired);
  for (const auto& pod : pods) {
    if (lab.dns)
      RETURN_IF_ERROR(
          write_resolv_conf(lab.name, pod.name, print_resolv_conf(resolv_conf_of(lab, pod).file)));
    RETURN_IF_ERROR(start_program(lab, programs, pod));
  }
  return {};
}

Status remove_pod(const Lab& lab, const Pod& pod) {
  const std::string netns = netns_path(lab.name, pod.name);
  RETURN_IF_ERROR(kill_processes_in({netns}));
  const Status unwired = in_node(lab.name, pod.node, [&]() -> Status {
    ASSIGN_OR_RETURN(const Json list, network_list(lab, pod.node));
    return CniRuntime{.plugins = plugin_folder(lab.name)}.del(list,
                                                              attachment_of(lab, pod, "eth0"));
  });
  RETURN_IF_ERROR(kernel::Netns::unpin(netns));
  RETURN_IF_ERROR(remove_file(pod_log(lab, pod)));
  return unwired;
}

Status start_responder(const Lab& lab, const Programs& programs, const std::string& member) {
  return in_netns(lab.name, member, [&]() -> Status {
    ASSIGN_OR_RETURN(const pid_t pid,
                     start_daemon({.argv = responder_command(programs, member, member),
                                   .log = state_folder(lab.name) + "/" + member + ".log",
                                   .tells_ready = true}));
    static_cast<void>(pid);  // found again by its namespace
    return {};
  });
}

}  // namespace weft::lab
