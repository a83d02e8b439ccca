#include "lab/cluster_dns.h"

#include <utility>

#include "lab/names.h"
#include "lab/planner.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

constexpr const char* kSpace = "kube-system";
constexpr const char* kLabel = "k8s-app";
constexpr const char* kLabelValue = "kube-dns";
constexpr std::uint64_t kPlaceInSubnet = 10;
constexpr std::uint16_t kPort = 53;

// Its own questions go where the node's go: a cluster's DNS that asked itself would go in circles.
Pod server_pod(const Lab& lab, std::string name, std::string node) {
  return {.name = std::move(name),
          .space = kSpace,
          .node = std::move(node),
          .labels = {{kLabel, kLabelValue}},
          .command = {"weftd", "coredns", "-conf", dns_folder(lab.name) + "/Corefile", "-store-dir",
                      objects_folder(lab.name)},
          .ports = {{.name = "dns", .protocol = ServiceProtocol::kUdp, .port = kPort},
                    {.name = "dns-tcp", .protocol = ServiceProtocol::kTcp, .port = kPort}},
          .dns = {.policy = DnsPolicy::kDefault}};
}

}  // namespace

Status add_cluster_dns(Lab& lab, const DnsFile& file) {
  const auto address = lab.services.subnets.front().address().plus(kPlaceInSubnet);
  if (!address || !lab.services.subnets.front().contains(*address))
    return fail("the DNS has no tenth address in " + lab.services.subnets.front().to_string(),
                "give services a larger subnet");
  lab.dns = ClusterDns{
      .domain = file.domain,
      .address = *address,
      .names = file.names,
      .node_file = file.node_file.value_or("nameserver " + lab.outside.front().to_string() + "\n")};
  std::vector<std::string> nodes = file.nodes;
  if (nodes.empty()) nodes.push_back(lab.nodes.front().name);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ASSIGN_OR_RETURN(lab,
                     with_pod(lab, server_pod(lab, "coredns-" + std::to_string(i + 1), nodes[i])));
  }
  return {};
}

Result<Json> dns_service(const Lab& lab) {
  const auto port = [](const char* name, const char* protocol) {
    return Json{{"name", name}, {"protocol", protocol}, {"port", kPort}, {"targetPort", kPort}};
  };
  const Json manifest = {{"apiVersion", "v1"},
                         {"kind", "Service"},
                         {"metadata", {{"name", "kube-dns"}, {"namespace", kSpace}}},
                         {"spec",
                          {{"clusterIP", lab.dns->address.to_string()},
                           {"selector", {{kLabel, kLabelValue}}},
                           {"ports", Json::array({port("dns", "UDP"), port("dns-tcp", "TCP")})}}}};
  return parse_service(manifest, "dns");
}

bool is_dns_server(const Pod& pod) {
  const auto label = pod.labels.find(kLabel);
  return pod.space == kSpace && label != pod.labels.end() && label->second == kLabelValue &&
         !pod.command.empty() && pod.command.front() == "weftd";
}

std::string cluster_corefile(const Lab& lab) {
  return ".:53 {\n"
         "    errors\n"
         "    health {\n"
         "       lameduck 5s\n"
         "    }\n"
         "    ready\n"
         "    kubernetes " +
         lab.dns->domain +
         " in-addr.arpa ip6.arpa {\n"
         "       pods insecure\n"
         "       fallthrough in-addr.arpa ip6.arpa\n"
         "       ttl 30\n"
         "    }\n"
         "    prometheus :9153\n"
         "    forward . /etc/resolv.conf {\n"
         "       max_concurrent 1000\n"
         "    }\n"
         "    cache 30\n"
         "    loop\n"
         "    reload\n"
         "    loadbalance\n"
         "}\n";
}

std::string outside_corefile(const Lab& lab) {
  std::string text = ".:53 {\n    errors\n    hosts {\n";
  for (const auto& [name, address] : lab.dns->names)
    text += "       " + address.to_string() + " " + name + "\n";
  return text + "    }\n}\n";
}

PodResolvConf resolv_conf_of(const Lab& lab, const Pod& pod) {
  PodDns wanted = pod.dns;
  wanted.ns = pod.space;
  NodeDns node{.cluster_dns = {lab.dns->address}, .cluster_domain = lab.dns->domain};
  if (auto file = parse_resolv_conf(lab.dns->node_file)) node.host = *std::move(file);
  node.families = overlay_families(lab.overlay);
  return weft::resolv_conf_of(wanted, node);
}

}  // namespace weft::lab
