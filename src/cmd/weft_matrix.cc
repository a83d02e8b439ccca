// weft matrix: who reaches whom in a lab, over which kind of path, and as whom.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/marks.h"
#include "cmd/usage.h"
#include "lab/cluster_dns.h"
#include "lab/lifecycle.h"
#include "lab/names.h"
#include "lab/observe.h"
#include "lab/state.h"
#include "matrix/run.h"
#include "matrix/table.h"
#include "matrix/verdict.h"

namespace weft::cmd {
namespace {

const char* const kExamples =
    "  weft matrix\n"
    "  weft matrix --name kuard -o json | jq .failed\n"
    "  weft matrix --count 10 --timeout 200\n";

struct Options {
  std::string lab = lab::kDefaultLab;
  unsigned count = 3;
  unsigned timeout_ms = 1000;
  OutputFormat output;
};

std::vector<IpAddress> without_length(const std::vector<InterfaceAddress>& addresses) {
  std::vector<IpAddress> bare;
  for (const auto& address : addresses) bare.push_back(address.address);
  return bare;
}

std::string path_of(const std::string& netns) {
  return std::string(lab::kNetnsRoot) + "/" + netns;
}

std::string tunnel_device(const lab::NodeView& node) {
  for (const auto& tunnel : node.tunnels)
    if (!tunnel.kind.empty()) return tunnel.device;
  return {};
}

bool is_ready(const lab::ServiceView& service, const lab::PodView& pod) {
  return std::find(service.ready.begin(), service.ready.end(), pod.name) != service.ready.end();
}

// Node ports of a service for local endpoints are open only where there are some.
bool has_endpoint(const lab::LabView& view, const lab::ServiceView& service,
                  const std::string& node) {
  return std::any_of(view.pods.begin(), view.pods.end(), [&](const lab::PodView& pod) {
    return pod.node == node && is_ready(service, pod);
  });
}

std::vector<matrix::Front> fronts_of(const lab::LabView& view, const lab::ServiceView& service) {
  std::vector<matrix::Front> fronts;
  for (const auto& port : service.ports) {
    if (port.protocol == ServiceProtocol::kSctp) continue;
    const bool udp = port.protocol == ServiceProtocol::kUdp;
    for (const auto& address : service.cluster_ips)
      fronts.push_back({matrix::FrontKind::kClusterAddress, address, port.port, udp});
    for (const auto& address : service.external_ips)
      fronts.push_back({matrix::FrontKind::kExternalAddress, address, port.port, udp});
    for (const auto& node : view.nodes) {
      if (port.node_port == 0) break;
      if (service.only_local && !has_endpoint(view, service, node.name)) continue;
      for (const auto& address : without_length(node.addresses))
        fronts.push_back({matrix::FrontKind::kNodePort, address, port.node_port, udp});
    }
  }
  return fronts;
}

// What runs a program of its own in a pod does not say who it is.
bool is_answered(const lab::LabView& view, const lab::ServiceView& service) {
  return std::none_of(view.pods.begin(), view.pods.end(), [&](const lab::PodView& pod) {
    return !pod.responder && is_ready(service, pod);
  });
}

void add_services(const lab::LabView& view, std::vector<matrix::Place>& places) {
  for (const auto& service : view.services)
    if (is_answered(view, service))
      places.push_back({.name = service.name.name,
                        .kind = matrix::PlaceKind::kService,
                        .fronts = fronts_of(view, service),
                        .endpoints = service.ready,
                        .style = view.proxy_mode == "userspace" ? matrix::ProxyStyle::kProxied
                                                                : matrix::ProxyStyle::kRewritten,
                        .only_local = service.only_local,
                        .sticky = service.sticky});
}

std::vector<IpAddress> addresses_of_ready(const lab::LabView& view,
                                          const lab::ServiceView& service) {
  std::vector<IpAddress> addresses;
  for (const auto& pod : view.pods)
    if (is_ready(service, pod))
      for (const auto& address : without_length(pod.addresses)) addresses.push_back(address);
  return addresses;
}

// A headless name whose pods are all gone stands for nothing that could be asked for.
void add_names(const lab::LabView& view, const lab::ClusterDns& dns,
               std::vector<matrix::Place>& places) {
  using matrix::PathClass;
  for (const auto& service : view.services) {
    const bool headless = service.cluster_ips.empty();
    places.push_back(
        {.name = service.name.name + "." + service.name.ns + ".svc." + dns.domain,
         .kind = matrix::PlaceKind::kName,
         .addresses = headless ? addresses_of_ready(view, service) : service.cluster_ips,
         .path_class = headless ? PathClass::kPodToHeadlessName : PathClass::kPodToClusterName,
         .server = dns.address});
  }
  for (const auto& [name, address] : dns.names)
    places.push_back({.name = name,
                      .kind = matrix::PlaceKind::kName,
                      .addresses = {address},
                      .path_class = PathClass::kPodToOutsideName});
}

std::vector<IpAddress> resolvers_of(const lab::Lab& lab, const std::string& name) {
  std::vector<IpAddress> resolvers;
  const lab::Pod* pod = lab.pod(name);
  if (!lab.dns || pod == nullptr || lab::is_dns_server(*pod)) return resolvers;
  const PodResolvConf made = lab::resolv_conf_of(lab, *pod);
  for (const auto& text : made.file.servers)
    if (const auto address = IpAddress::parse(text)) resolvers.push_back(*address);
  return resolvers;
}

std::vector<matrix::Place> places_of(const lab::Lab& lab, const lab::LabView& view) {
  std::vector<matrix::Place> places;
  for (const auto& node : view.nodes)
    places.push_back({.name = node.name,
                      .kind = matrix::PlaceKind::kNode,
                      .node = node.name,
                      .netns = path_of(node.netns),
                      .addresses = without_length(node.addresses),
                      .own = node.own_addresses,
                      .bridge = view.bridge,
                      .overlay_device = tunnel_device(node)});
  for (const auto& pod : view.pods)
    places.push_back({.name = pod.name,
                      .kind = matrix::PlaceKind::kPod,
                      .node = pod.node,
                      .netns = path_of(pod.netns),
                      .addresses = without_length(pod.addresses),
                      .host_device = pod.host_device,
                      .answers = pod.responder,
                      .resolvers = resolvers_of(lab, pod.name)});
  for (const auto& [address, device] : view.outside)
    places.push_back({.name = lab::kOutside,
                      .kind = matrix::PlaceKind::kOutside,
                      .netns = path_of(view.outside_netns),
                      .addresses = {address},
                      .own = view.outside_own,
                      .uplink = device});
  add_services(view, places);
  if (lab.dns) add_names(view, *lab.dns, places);
  return places;
}

ExitCode run(const Options& options) {
  if (const auto status = lab::check_machine(); !status)
    return fail_with(ExitCode::kUsage, status.error());
  const auto found = lab::load_lab(options.lab);
  if (!found) return fail_with(ExitCode::kUsage, found.error());
  const auto view = lab::observe(*found);
  if (!view) return fail_with(ExitCode::kUsage, view.error());
  const auto report = matrix::run_matrix(
      places_of(*found, *view),
      {.timeout = std::chrono::milliseconds(options.timeout_ms), .count = options.count});
  const std::string text = options.output.json()
                               ? matrix::to_json(report).dump(2) + "\n"
                               : matrix::to_table(report, line_style(STDOUT_FILENO));
  std::fputs(text.c_str(), stdout);
  return matrix::exit_code(matrix::count(report.cells));
}

}  // namespace

void add_matrix_command(CLI::App& app, ExitCode& code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("matrix", "probe every pair of pods and nodes, by kind of path");
  command->footer(kExamples);
  command->add_option("--name", options->lab, "the lab's name")->capture_default_str();
  command->add_option("--count", options->count, "probes a pair and protocol")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  command->add_option("--timeout", options->timeout_ms, "of one probe, in milliseconds")
      ->check(CLI::Range(1U, 60'000U))
      ->capture_default_str();
  add_output_option(*command, options->output);
  command->callback([options, &code] { code = run(*options); });
}

}  // namespace weft::cmd
