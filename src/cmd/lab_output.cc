#include "cmd/lab_output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/marks.h"
#include "lab/lab_json.h"

namespace weft::cmd {
namespace {

// Without the prefix length: what one pings.
Json bare(const std::vector<InterfaceAddress>& addresses) {
  Json array = Json::array();
  for (const auto& address : addresses) array.push_back(address.address.to_string());
  return array;
}

std::string words(const Json& array) {
  std::string text;
  for (const auto& word : array) text += (text.empty() ? "" : " ") + word.get<std::string>();
  return text.empty() ? "-" : text;
}

Json outside_addresses(const lab::LabView& view) {
  Json array = Json::array();
  for (const auto& host : view.outside) array.push_back(host.address.to_string());
  return array;
}

Json program(pid_t pid, const std::string& log) {
  return {{"running", pid != 0}, {"log", log}, {"pid", pid != 0 ? Json(pid) : Json(nullptr)}};
}

// "8080/TCP", "80:30080/TCP": as kubectl prints them.
std::string port_text(const ServicePort& port) {
  return std::to_string(port.port) +
         (port.node_port == 0 ? "" : ":" + std::to_string(port.node_port)) + "/" +
         std::string(to_string(port.protocol));
}

Json ports_of(const lab::ServiceView& service) {
  Json ports = Json::array();
  for (const auto& port : service.ports) ports.push_back(port_text(port));
  return ports;
}

Json to_json(const lab::ServiceView& service) {
  return {{"name", service.name.name},
          {"namespace", service.name.ns},
          {"addresses", lab::texts(service.cluster_ips)},
          {"external", lab::texts(service.external_ips)},
          {"ports", ports_of(service)},
          {"endpoints", service.ready}};
}

Json to_json(const lab::LabView& view) {
  Json nodes = Json::array();
  for (const auto& node : view.nodes) {
    nodes.push_back({{"name", node.name},
                     {"netns", node.netns},
                     {"addresses", bare(node.addresses)},
                     {"subnets", lab::texts(node.subnets)},
                     {"agent", program(node.agent, node.agent_log)}});
    if (!view.services.empty()) nodes.back()["proxy"] = program(node.proxy, node.proxy_log);
  }
  Json pods = Json::array();
  for (const auto& pod : view.pods)
    pods.push_back({{"name", pod.name},
                    {"node", pod.node},
                    {"netns", pod.netns},
                    {"addresses", bare(pod.addresses)},
                    {"running", pod.running}});
  Json services = Json::array();
  for (const auto& service : view.services) services.push_back(to_json(service));
  return {{"name", view.name},
          {"nodes", nodes},
          {"pods", pods},
          {"services", services},
          {"outside", {{"netns", view.outside_netns}, {"addresses", outside_addresses(view)}}}};
}

// A table's column is as wide as its widest word.
int widest(const std::vector<std::string>& column, std::size_t least) {
  for (const auto& word : column) least = std::max(least, word.size());
  return static_cast<int>(least);
}

void print_nodes(const lab::LabView& view, const LineStyle& style) {
  std::vector<std::string> names;
  std::vector<std::string> addresses;
  std::vector<std::string> subnets;
  for (const auto& node : view.nodes) {
    names.push_back(node.name);
    addresses.push_back(words(bare(node.addresses)));
    subnets.push_back(words(lab::texts(node.subnets)));
  }
  const int wide_name = widest(names, 4);
  const int wide_address = widest(addresses, 7);
  const int wide_subnet = widest(subnets, 6);
  std::printf("  %-*s  %-*s  %-*s  %s\n", wide_name, "NODE", wide_address, "ADDRESS", wide_subnet,
              "SUBNET", "AGENT");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& node = view.nodes[i];
    const std::string agent = node.agent != 0
                                  ? std::to_string(node.agent)
                                  : "not running; start it with: weft lab agent start " +
                                        node.name + " --name " + view.name;
    std::printf("%s %-*s  %-*s  %-*s  %s\n",
                style.mark(node.agent != 0 ? Mark::kFine : Mark::kWrong).c_str(), wide_name,
                names[i].c_str(), wide_address, addresses[i].c_str(), wide_subnet,
                subnets[i].c_str(), agent.c_str());
  }
}

void print_pods(const lab::LabView& view, const LineStyle& style) {
  std::vector<std::string> names;
  std::vector<std::string> nodes;
  for (const auto& pod : view.pods) {
    names.push_back(pod.name);
    nodes.push_back(pod.node);
  }
  const int wide_name = widest(names, 3);
  const int wide_node = widest(nodes, 4);
  std::printf("\n  %-*s  %-*s  %s\n", wide_name, "POD", wide_node, "NODE", "ADDRESS");
  for (const auto& pod : view.pods)
    std::printf("%s %-*s  %-*s  %s%s\n",
                style.mark(pod.running ? Mark::kFine : Mark::kWrong).c_str(), wide_name,
                pod.name.c_str(), wide_node, pod.node.c_str(), words(bare(pod.addresses)).c_str(),
                pod.running ? "" : "  its program is not running");
}

void print_services(const lab::LabView& view, const LineStyle& style) {
  std::vector<std::string> names;
  std::vector<std::string> addresses;
  std::vector<std::string> ports;
  for (const auto& service : view.services) {
    names.push_back(service.name.to_string());
    Json all = lab::texts(service.cluster_ips);
    for (const auto& address : service.external_ips) all.push_back(address.to_string());
    addresses.push_back(words(all));
    ports.push_back(words(ports_of(service)));
  }
  const int wide_name = widest(names, 7);
  const int wide_address = widest(addresses, 7);
  const int wide_ports = widest(ports, 5);
  std::printf("\n  %-*s  %-*s  %-*s  %s\n", wide_name, "SERVICE", wide_address, "ADDRESS",
              wide_ports, "PORTS", "ENDPOINTS");
  for (std::size_t i = 0; i < names.size(); ++i)
    std::printf("%s %-*s  %-*s  %-*s  %s\n",
                style.mark(view.services[i].ready.empty() ? Mark::kWarning : Mark::kFine).c_str(),
                wide_name, names[i].c_str(), wide_address, addresses[i].c_str(), wide_ports,
                ports[i].c_str(), words(Json(view.services[i].ready)).c_str());
  for (const auto& node : view.nodes)
    if (node.proxy == 0)
      std::printf(
          "%s the kube-proxy of %s is not running; start it with: weft lab proxy start %s "
          "--name %s\n",
          style.mark(Mark::kWrong).c_str(), node.name.c_str(), node.name.c_str(),
          view.name.c_str());
}

}  // namespace

void print_labs(const std::vector<std::string>& labs, bool json) {
  if (json) {
    std::printf("%s\n", Json{{"labs", labs}}.dump(2).c_str());
    return;
  }
  for (const auto& lab : labs) std::printf("%s\n", lab.c_str());
}

ExitCode print_status(const lab::LabView& view, bool json) {
  if (json) {
    std::printf("%s\n", to_json(view).dump(2).c_str());
  } else {
    const LineStyle style = line_style(STDOUT_FILENO);
    std::printf("lab %s\n\n", view.name.c_str());
    print_nodes(view, style);
    if (!view.pods.empty()) print_pods(view, style);
    if (!view.services.empty()) print_services(view, style);
  }
  const bool fine =
      std::all_of(view.nodes.begin(), view.nodes.end(),
                  [&](const lab::NodeView& node) {
                    return node.agent != 0 && (view.services.empty() || node.proxy != 0);
                  }) &&
      std::all_of(view.pods.begin(), view.pods.end(),
                  [](const lab::PodView& pod) { return pod.running; });
  return fine ? ExitCode::kFine : ExitCode::kWrong;
}

}  // namespace weft::cmd
