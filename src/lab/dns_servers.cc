#include "lab/dns_servers.h"

#include <chrono>
#include <string>

#include "base/files.h"
#include "lab/cluster_dns.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "store/http_client.h"

namespace weft::lab {
namespace {

constexpr std::chrono::seconds kPatience(15);

std::string file_in(const Lab& lab, const std::string& name) {
  return dns_folder(lab.name) + "/" + name;
}

Status start_outside(const Lab& lab, const Programs& programs) {
  RETURN_IF_ERROR(write_file_atomically(file_in(lab, "Outside"), outside_corefile(lab), 0644));
  return in_netns(lab.name, kOutside, [&]() -> Status {
    ASSIGN_OR_RETURN(
        const pid_t pid,
        start_daemon({.argv = {programs.weftd, "coredns", "-conf", file_in(lab, "Outside")},
                      .log = file_in(lab, "outside.log")}));
    static_cast<void>(pid);  // found again by its namespace
    return {};
  });
}

// Port 8181 of the Corefile's `ready`.
bool says_ready() {
  const auto answer = http_call({.host = "127.0.0.1", .port = 8181}, {},
                                {.method = "GET", .path = "/ready"}, std::stop_token());
  return answer && answer->status == 200;
}

Status wait_for(const Lab& lab, const Pod& pod) {
  return in_netns(lab.name, pod.name, [&]() -> Status {
    if (wait_until(says_ready, kPatience)) return {};
    const std::string log = node_folder(lab.name, pod.node) + "/" + pod.name + ".log";
    return fail("the DNS server " + pod.name + " is not ready after 15 s: " + last_line(log),
                "see " + log);
  });
}

}  // namespace

Status prepare_dns(const Lab& lab, const Programs& programs) {
  for (const auto& folder : {dns_folder(lab.name), objects_folder(lab.name)})
    RETURN_IF_ERROR(make_directories(folder));
  RETURN_IF_ERROR(write_file_atomically(file_in(lab, "Corefile"), cluster_corefile(lab), 0644));
  for (const auto& node : lab.nodes)
    RETURN_IF_ERROR(write_resolv_conf(lab.name, node.name, lab.dns->node_file));
  return start_outside(lab, programs);
}

Status wait_for_dns(const Lab& lab) {
  for (const auto& pod : lab.pods)
    if (is_dns_server(pod)) RETURN_IF_ERROR(wait_for(lab, pod));
  return {};
}

}  // namespace weft::lab
