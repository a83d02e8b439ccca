#include "lab/proxies.h"

#include <chrono>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "lab/agents.h"
#include "lab/cluster_objects.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "lab/observe.h"
#include "store/http_client.h"

namespace weft::lab {
namespace {

constexpr std::chrono::seconds kPatience(15);

std::vector<std::string> proxy_command(const Lab& lab, const Programs& programs,
                                       const std::string& node) {
  std::string pods;
  for (const auto& network : read_subnet_env(lab.name, node).value_or(SubnetEnv{}).networks)
    pods += (pods.empty() ? "" : ",") + network.to_string();
  return {programs.weftd,
          "kube-proxy",
          "--store-dir=" + objects_folder(lab.name),
          "--hostname-override=" + node,
          "--proxy-mode=" + lab.services.proxy_mode,
          "--cluster-cidr=" + pods};
}

constexpr std::string_view kLastSync = "kubeproxy_sync_proxy_rules_last_timestamp_seconds";

// kube-proxy says when it has last written its rules; 0 until it has.
bool has_synced() {
  const HttpEndpoint metrics{.host = "127.0.0.1", .port = 10249};
  const auto answer =
      http_call(metrics, {}, {.method = "GET", .path = "/metrics"}, std::stop_token());
  if (!answer || answer->status != 200) return false;
  for (const auto& line : split(answer->body, '\n'))
    if (line.compare(0, kLastSync.size(), kLastSync) == 0)
      return std::strtod(line.c_str() + line.rfind(' '), nullptr) > 0;
  return false;
}

}  // namespace

NodeProgram proxy_of(const std::string& lab, const std::string& node) {
  return {.lab = lab, .node = node, .name = "kube-proxy"};
}

Status write_objects(const Lab& lab) {
  ASSIGN_OR_RETURN(const LabView view, observe(lab));
  const Json list = {
      {"apiVersion", "v1"}, {"kind", "List"}, {"items", plan_cluster_objects(lab, view)}};
  RETURN_IF_ERROR(make_directories(objects_folder(lab.name)));
  return write_file_atomically(objects_folder(lab.name) + "/cluster.json", list.dump(2) + "\n",
                               0644);
}

Status start_proxy(const Lab& lab, const Programs& programs, const std::string& node) {
  const NodeProgram proxy = proxy_of(lab.name, node);
  RETURN_IF_ERROR(start_program(proxy, proxy_command(lab, programs, node)));
  return in_netns(lab.name, node, [&]() -> Status {
    bool synced = false;
    const auto is_over = [&] {
      synced = has_synced();
      return synced || running_pid(proxy) == 0;
    };
    if (!wait_until(is_over, kPatience))
      return fail("the kube-proxy of " + node +
                      " has programmed nothing after 15 s: " + last_line(proxy.log()),
                  "see " + proxy.log());
    return synced ? Status() : Status(ended(proxy));
  });
}

}  // namespace weft::lab
