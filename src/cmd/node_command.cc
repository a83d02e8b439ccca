// `weftd node`: the file in, its parts made and run, exit code out.
#include "cmd/node_command.h"

#include <cstdio>
#include <utility>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/log.h"
#include "base/sd_notify.h"
#include "cmd/coredns_command.h"
#include "cmd/daemon.h"
#include "cmd/flanneld_command.h"
#include "cmd/go_flags.h"
#include "cmd/kube_proxy_command.h"
#include "cmd/kube_proxy_flags.h"
#include "node/node_config.h"
#include "node/node_program.h"

namespace weft::cmd {
namespace {

constexpr const char* kProgram = "node";

struct Flags {
  std::string config = "/etc/weft/node.yaml";
  bool version = false;
  bool help = false;
};

std::vector<GoFlag> flag_table(Flags& flags) {
  return {
      text_flag("config", flags.config, "which parts the node has, and what they share"),
      bool_flag("version", flags.version, "print the version and end"),
      bool_flag("help", flags.help, "print this and end"),
  };
}

void print_help(const std::vector<GoFlag>& table) {
  std::printf(
      "weftd node: flanneld, kube-proxy and coredns in one process\n\n"
      "Examples:\n"
      "  weftd node --config=/etc/weft/node.yaml\n\n"
      "  # node.yaml\n"
      "  flanneld:\n"
      "    args: [--ip-masq]\n"
      "  kubeProxy:\n"
      "    config: /var/lib/kube-proxy/config.conf\n"
      "  coredns:\n"
      "    corefile: /etc/coredns/Corefile\n\n"
      "Flags:\n%s",
      describe_flags(table).c_str());
}

// Whom a first list waits for: those who will follow it in any case, or soon.
KubeGathering gathering_of(const node::NodeConfig& config) {
  const auto count = [](const auto& one, const auto& other) {
    return (one ? 1U : 0U) + (other ? 1U : 0U);
  };
  return {.followers = {{kNodesPath, count(config.flanneld, config.kube_proxy)},
                        {kServicesPath, count(config.kube_proxy, config.coredns)},
                        {kEndpointSlicesPath, count(config.kube_proxy, config.coredns)}}};
}

Result<NodeShare> share_of(const node::NodeConfig& config) {
  NodeShare share{.store_dir = config.store_dir};
  const std::string given =
      config.node_name.empty() ? environment("NODE_NAME").value_or("") : config.node_name;
  ASSIGN_OR_RETURN(share.node_name, node_name(given));
  if (!config.store_dir.empty()) return share;
  ASSIGN_OR_RETURN(share.access,
                   find_kube_access({.api_url = "", .kubeconfig = config.kubeconfig}, environment));
  share.reader = std::make_shared<KubeReader>(*share.access, gathering_of(config));
  return share;
}

Result<std::vector<node::Part>> parts_of(const node::NodeConfig& config, const NodeShare& share) {
  using Make = Result<node::Part> (*)(const std::vector<std::string>&, const NodeShare&);
  const std::pair<const node::NodeConfig::Arguments*, Make> wanted[] = {
      {&config.flanneld, flanneld_part},
      {&config.kube_proxy, kube_proxy_part},
      {&config.coredns, coredns_part}};
  std::vector<node::Part> parts;
  for (const auto& [arguments, make] : wanted) {
    if (!*arguments) continue;
    ASSIGN_OR_RETURN(node::Part part, make(**arguments, share));
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<node::NodeConfig> read_config(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto config = node::read_node_config(text);
  if (!config) return because(path, std::move(config).error());
  return config;
}

}  // namespace

int run_node(const std::vector<std::string>& arguments) {
  keep_heap_small();
  Flags flags;
  const auto table = flag_table(flags);
  if (Status parsed = parse_go_flags(table, arguments); !parsed)
    return wrong_usage(kProgram, parsed.error());
  if (flags.help) return print_help(table), 0;
  if (flags.version) return std::printf("weftd %s\n", WEFT_VERSION), 0;
  const auto config = read_config(flags.config);
  if (!config) return wrong_usage(kProgram, config.error());
  set_up_log(config->log.format, spdlog::level::from_str(config->log.level), LogThreads::kNamed);
  const auto manager = ServiceManager::from_environment();
  const auto share = share_of(*config);
  if (!share) return wrong_usage(kProgram, share.error());
  auto parts = parts_of(*config, *share);
  if (!parts) return wrong_usage(kProgram, parts.error());
  spdlog::info("weftd {} node: {}, {}", WEFT_VERSION, share->node_name,
               share->access ? share->access->describe() : "objects in " + share->store_dir);
  SignalStop signals;
  return ended(node::run_parts(*std::move(parts), manager, signals.token()));
}

}  // namespace weft::cmd
