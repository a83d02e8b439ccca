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

Json to_json(const lab::LabView& view) {
  Json nodes = Json::array();
  for (const auto& node : view.nodes) {
    Json agent = {{"running", node.agent != 0}, {"log", node.agent_log}};
    agent["pid"] = node.agent != 0 ? Json(node.agent) : Json(nullptr);
    nodes.push_back({{"name", node.name},
                     {"netns", node.netns},
                     {"addresses", bare(node.addresses)},
                     {"subnets", lab::texts(node.subnets)},
                     {"agent", agent}});
  }
  Json pods = Json::array();
  for (const auto& pod : view.pods)
    pods.push_back({{"name", pod.name},
                    {"node", pod.node},
                    {"netns", pod.netns},
                    {"addresses", bare(pod.addresses)},
                    {"running", pod.running}});
  return {{"name", view.name},
          {"nodes", nodes},
          {"pods", pods},
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
  }
  const bool fine = std::all_of(view.nodes.begin(), view.nodes.end(),
                                [](const lab::NodeView& node) { return node.agent != 0; }) &&
                    std::all_of(view.pods.begin(), view.pods.end(),
                                [](const lab::PodView& pod) { return pod.running; });
  return fine ? ExitCode::kFine : ExitCode::kWrong;
}

}  // namespace weft::cmd
