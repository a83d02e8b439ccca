#include "lab/lifecycle.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "base/files.h"
#include "base/process.h"
#include "kernel/netns.h"
#include "lab/agents.h"
#include "lab/daemon.h"
#include "lab/dns_servers.h"
#include "lab/layout.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "lab/observe.h"
#include "lab/planner.h"
#include "lab/pods.h"
#include "lab/programs.h"
#include "lab/proxies.h"
#include "lab/state.h"
#include "lab/store.h"
#include "lab/underlay.h"

namespace weft::lab {
namespace {

using Detail = Result<std::string>;

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

template <class Value>
std::string joined(const std::vector<Value>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ", ") + value.to_string();
  return text;
}

std::vector<Pod> pods_on(const Lab& lab, const std::string& node) {
  std::vector<Pod> pods;
  for (const auto& pod : lab.pods)
    if (pod.node == node) pods.push_back(pod);
  return pods;
}

// Does something for every node at once; the first failure in the nodes' order is returned.
Status for_each_node(const std::vector<Node>& nodes,
                     const std::function<Status(const Node&)>& work) {
  std::vector<Status> results(nodes.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      threads.emplace_back([&, i] { results[i] = work(nodes[i]); });
  }
  for (auto& result : results) RETURN_IF_ERROR(std::move(result));
  return {};
}

// The rules that the lab's file wants to be there before the agent.
Status preset_rules(const Lab& lab, const Node& node) {
  if (lab.iptables.empty()) return {};
  return in_node(lab.name, node.name, [&]() -> Status {
    auto restored = run_or_fail({.argv = {"iptables-restore"}, .input = lab.iptables});
    if (!restored) return because("the lab's iptables rules", restored.error());
    return {};
  });
}

// The files, agent, responder and pods of a node whose place on the underlay is there.
Status bring_up_node(const Lab& lab, const Programs& programs, const Node& node,
                     Progress& progress) {
  const Status joined_network = progress.step(node.name, [&]() -> Detail {
    RETURN_IF_ERROR(make_node_files(lab.name, node.name));
    RETURN_IF_ERROR(write_network_list(lab, node.name));
    RETURN_IF_ERROR(preset_rules(lab, node));
    RETURN_IF_ERROR(start_responder(lab, programs, node.name));
    ASSIGN_OR_RETURN(const SubnetEnv env, start_agent(lab, programs, node));
    return "subnet " + joined(env.subnets);
  });
  RETURN_IF_ERROR(joined_network);
  const auto pods = pods_on(lab, node.name);
  if (pods.empty()) return {};
  return progress.step("pods on " + node.name, [&]() -> Detail {
    RETURN_IF_ERROR(add_pods(lab, programs, node.name, pods));
    return std::to_string(pods.size());
  });
}

// The first way from one node to another's subnet that is missing; empty when there is none.
std::string missing_route(const LabView& view) {
  for (const auto& node : view.nodes)
    for (const auto& other : view.nodes)
      for (const auto& subnet : other.subnets) {
        const bool leads_there =
            &node == &other || node.agent == 0 ||
            std::any_of(node.tunnels.begin(), node.tunnels.end(),
                        [&](const Tunnel& tunnel) { return tunnel.subnet.contains(subnet); });
        if (!leads_there) return node.name + " has no route to " + subnet.to_string();
      }
  return {};
}

// Agents learn of each other a moment after they have their own subnet. A backend that makes no
// routes (alloc) never gets there, which is no failure.
void wait_for_routes(const Lab& lab, Progress& progress) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (;;) {
    const auto view = observe(lab);
    const std::string missing = view ? missing_route(*view) : view.error().what;
    if (missing.empty()) return;
    if (std::chrono::steady_clock::now() > deadline) {
      progress.line(Mark::kWarning, missing + " after 3 s");
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Nothing for a lab without services.
Status bring_up_services(const Lab& lab, const Programs& programs, const std::vector<Node>& nodes,
                         Progress& progress) {
  if (lab.services.manifests.empty()) return {};
  return progress.step("services", [&]() -> Detail {
    RETURN_IF_ERROR(write_objects(lab));
    RETURN_IF_ERROR(for_each_node(
        nodes, [&](const Node& node) { return start_proxy(lab, programs, node.name); }));
    return std::to_string(lab.services.manifests.size()) + " in mode " + lab.services.proxy_mode;
  });
}

// The objects after a change; nothing for a lab without services.
Status follow_with_objects(const Lab& lab) {
  return lab.services.manifests.empty() ? Status() : write_objects(lab);
}

Status build(const Lab& lab, const Programs& programs, Progress& progress) {
  const Status wired = progress.step("underlay", [&]() -> Detail {
    RETURN_IF_ERROR(build_layout(lab.name, plan_layout(lab)));
    RETURN_IF_ERROR(start_responder(lab, programs, kOutside));
    return counted(lab.nodes.size(), "node") + ", " + counted(lab.segments.size(), "segment") +
           ", outside " + joined(lab.outside);
  });
  RETURN_IF_ERROR(wired);
  const Status stored = progress.step("store", [&]() -> Detail {
    RETURN_IF_ERROR(set_up_store(lab));
    for (const auto& node : lab.nodes) RETURN_IF_ERROR(seed_lease(lab, node));
    RETURN_IF_ERROR(install_plugins(lab.name, programs));
    if (lab.dns) RETURN_IF_ERROR(prepare_dns(lab, programs));
    return lab.store == StoreKind::kEtcd ? "etcd" : "directory";
  });
  RETURN_IF_ERROR(stored);
  RETURN_IF_ERROR(for_each_node(
      lab.nodes, [&](const Node& node) { return bring_up_node(lab, programs, node, progress); }));
  RETURN_IF_ERROR(bring_up_services(lab, programs, lab.nodes, progress));
  wait_for_routes(lab, progress);
  if (!lab.dns) return {};
  return progress.step("DNS", [&]() -> Detail {
    RETURN_IF_ERROR(wait_for_dns(lab));
    return lab.dns->domain + " at " + lab.dns->address.to_string();
  });
}

Status remove_everything(const std::string& lab) {
  ASSIGN_OR_RETURN(const auto names, list_namespaces(lab));
  std::vector<std::string> paths;
  for (const auto& name : names) paths.push_back(std::string(kNetnsRoot) + "/" + name);
  RETURN_IF_ERROR(kill_processes_in(paths));
  for (const auto& path : paths) RETURN_IF_ERROR(kernel::Netns::unpin(path));
  return remove_tree(state_folder(lab));
}

struct LockedLab {
  LabLock lock;
  Lab lab;
};

Result<LockedLab> lock_and_load(const std::string& name) {
  // A lab that is not there needs no lock, and gets no lock's file.
  ASSIGN_OR_RETURN(const Lab seen, load_lab(name));
  ASSIGN_OR_RETURN(LabLock lock, LabLock::take(seen.name));
  ASSIGN_OR_RETURN(Lab lab, load_lab(name));
  return LockedLab{.lock = std::move(lock), .lab = std::move(lab)};
}

}  // namespace

Status check_machine() {
  if (::geteuid() != 0)
    return fail("a lab needs root: it makes network namespaces", "run it again with sudo");
  if (::access("/proc/self/ns/net", F_OK) != 0)
    return fail("this kernel has no network namespaces",
                "boot one that is built with CONFIG_NET_NS");
  return {};
}

Status bring_up(const Lab& lab, bool keep, Progress& progress) {
  ASSIGN_OR_RETURN(const Programs programs, find_programs());
  ASSIGN_OR_RETURN(LabLock lock, LabLock::take(lab.name));
  if (lab_exists(lab.name))
    return fail("lab \"" + lab.name + "\" is there already",
                "take it down with: weft lab down --name " + lab.name +
                    ", or choose another name with --name");
  // Written before anything is made, so that whatever follows can be found and removed.
  RETURN_IF_ERROR(save_lab(lab));
  Status built = build(lab, programs, progress);
  if (built || keep) return built;
  if (built.error().next.find(state_folder(lab.name)) != std::string::npos)
    built.error().next = "keep the failed lab and its logs with: weft lab up --keep";
  if (const Status removed = remove_everything(lab.name); !removed)
    progress.line(Mark::kWarning, removed.error().text());
  lock.remove();
  return built;
}

Result<bool> take_down(const std::string& lab, Progress& progress) {
  RETURN_IF_ERROR(check_lab_name(lab));
  ASSIGN_OR_RETURN(LabLock lock, LabLock::take(lab));
  const bool existed = lab_exists(lab);
  if (existed) {
    const Status removed = progress.step("lab " + lab, [&]() -> Detail {
      RETURN_IF_ERROR(remove_everything(lab));
      return "removed";
    });
    RETURN_IF_ERROR(removed);
  }
  lock.remove();
  return existed;
}

Status add_node(const std::string& name, const Node& wanted, std::optional<unsigned> pods,
                Progress& progress) {
  ASSIGN_OR_RETURN(const Programs programs, find_programs());
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  ASSIGN_OR_RETURN(const Lab lab,
                   with_node(locked.lab, wanted, pods.value_or(locked.lab.pods_per_node)));
  const Node& node = lab.nodes.back();
  RETURN_IF_ERROR(save_lab(lab));
  RETURN_IF_ERROR(build_layout(lab.name, plan_layout(lab)));
  RETURN_IF_ERROR(seed_lease(lab, node));
  if (lab.dns) RETURN_IF_ERROR(write_resolv_conf(lab.name, node.name, lab.dns->node_file));
  RETURN_IF_ERROR(bring_up_node(lab, programs, node, progress));
  RETURN_IF_ERROR(bring_up_services(lab, programs, {node}, progress));
  wait_for_routes(lab, progress);
  return {};
}

Status remove_node(const std::string& name, const std::string& node, Progress& progress) {
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  ASSIGN_OR_RETURN(const Lab rest, without_node(locked.lab, node));
  return progress.step(node, [&]() -> Detail {
    // First nobody sends anything there any more.
    RETURN_IF_ERROR(follow_with_objects(rest));
    for (const auto& pod : pods_on(locked.lab, node)) RETURN_IF_ERROR(remove_pod(locked.lab, pod));
    RETURN_IF_ERROR(stop_program(proxy_of(name, node)));
    RETURN_IF_ERROR(stop_program(agent_of(name, node)));
    RETURN_IF_ERROR(kill_processes_in({netns_path(name, node)}));
    RETURN_IF_ERROR(remove_leases(locked.lab, *locked.lab.node(node)));
    RETURN_IF_ERROR(remove_node_namespace(name, node));
    RETURN_IF_ERROR(remove_tree(node_folder(name, node)));
    RETURN_IF_ERROR(save_lab(rest));
    return "removed, its lease too";
  });
}

Status add_pod(const std::string& name, const Pod& wanted, Progress& progress) {
  ASSIGN_OR_RETURN(const Programs programs, find_programs());
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  ASSIGN_OR_RETURN(const Lab lab, with_pod(locked.lab, wanted));
  const Pod& pod = lab.pods.back();
  RETURN_IF_ERROR(save_lab(lab));
  Status added = progress.step(pod.name, [&]() -> Detail {
    RETURN_IF_ERROR(add_pods(lab, programs, pod.node, {pod}));
    RETURN_IF_ERROR(follow_with_objects(lab));
    return "on " + pod.node;
  });
  if (!added) {
    // A pod that could not be wired is no pod; why it could not be removed either is less of use.
    static_cast<void>(remove_pod(lab, pod));
    RETURN_IF_ERROR(save_lab(locked.lab));
  }
  return added;
}

Status remove_pod_of(const std::string& name, const std::string& pod, Progress& progress) {
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  ASSIGN_OR_RETURN(const Lab rest, without_pod(locked.lab, pod));
  return progress.step(pod, [&]() -> Detail {
    // First nobody sends anything there any more.
    RETURN_IF_ERROR(follow_with_objects(rest));
    const Status removed = remove_pod(locked.lab, *locked.lab.pod(pod));
    RETURN_IF_ERROR(save_lab(rest));
    RETURN_IF_ERROR(removed);
    return "removed";
  });
}

Status command_agent(const std::string& name, const std::string& node, ProgramCommand command,
                     Progress& progress) {
  ASSIGN_OR_RETURN(const Programs programs, find_programs());
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  const Node* found = locked.lab.node(node);
  if (found == nullptr) return unknown_member(locked.lab, node);
  return progress.step("agent of " + node, [&]() -> Detail {
    if (command != ProgramCommand::kStart) RETURN_IF_ERROR(stop_program(agent_of(name, node)));
    if (command == ProgramCommand::kStop) return "stopped";
    ASSIGN_OR_RETURN(const SubnetEnv env, start_agent(locked.lab, programs, *found));
    return "running, subnet " + joined(env.subnets);
  });
}

Status command_proxy(const std::string& name, const std::string& node, ProgramCommand command,
                     Progress& progress) {
  ASSIGN_OR_RETURN(const Programs programs, find_programs());
  ASSIGN_OR_RETURN(const LockedLab locked, lock_and_load(name));
  if (locked.lab.node(node) == nullptr) return unknown_member(locked.lab, node);
  if (locked.lab.services.manifests.empty())
    return fail("lab \"" + name + "\" has no services", "give it a v1 Service in its manifests");
  return progress.step("kube-proxy of " + node, [&]() -> Detail {
    if (command != ProgramCommand::kStart) RETURN_IF_ERROR(stop_program(proxy_of(name, node)));
    if (command == ProgramCommand::kStop) return "stopped";
    RETURN_IF_ERROR(start_proxy(locked.lab, programs, node));
    return "running";
  });
}

}  // namespace weft::lab
