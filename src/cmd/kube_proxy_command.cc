// `weftd kube-proxy`: flags in, the service proxy called, exit code out.
#include "cmd/kube_proxy_command.h"

#include <atomic>
#include <cstdio>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/yaml.h"
#include "cmd/config_watch.h"
#include "cmd/daemon.h"
#include "cmd/kube_proxy_flags.h"
#include "service/conntrack_settings.h"
#include "service/proxy_agent.h"

namespace weft::cmd {
namespace {

using service::ProxyConfig;

constexpr const char* kProgram = "kube-proxy";

void print_help(const std::vector<GoFlag>& table) {
  std::printf(
      "weftd kube-proxy: the service proxy of a node, in kube-proxy's place\n\n"
      "Examples:\n"
      "  weftd kube-proxy --config=/var/lib/kube-proxy/config.conf --hostname-override=node-1\n"
      "  weftd kube-proxy --kubeconfig=/root/.kube/config --cluster-cidr=10.244.0.0/16\n"
      "  weftd kube-proxy --store-dir=/etc/weft/services\n"
      "  weftd kube-proxy --cleanup\n\n"
      "Flags:\n%s",
      describe_flags(table).c_str());
}

void set_up_log(const KubeProxyFlags& flags, const ProxyConfig::Logging& logging) {
  weft::set_up_log(logging.format == "json" ? LogFormat::kJson : LogFormat::kText,
                   spdlog::level::from_str(logging.verbosity >= 4 ? "debug" : flags.log_level));
}

Status write_configuration(const ProxyConfig& config, const std::string& path) {
  RETURN_IF_ERROR(write_file_atomically(path, print_yaml(to_json(config)), 0600));
  spdlog::info("configuration written to {}", path);
  return {};
}

Result<NodeShare> share_of(const KubeProxyFlags& flags, const ProxyConfig& config) {
  NodeShare share{.store_dir = flags.store_dir};
  ASSIGN_OR_RETURN(share.node_name, node_name(config.hostname_override));
  if (!flags.store_dir.empty()) return share;
  ASSIGN_OR_RETURN(
      share.access,
      find_kube_access({.api_url = flags.master, .kubeconfig = config.client_connection.kubeconfig},
                       environment));
  share.reader = std::make_shared<KubeReader>(*share.access);
  return share;
}

service::ProxyAgentOptions agent_options(const KubeProxyFlags& flags, const ProxyConfig& config,
                                         const NodeShare& share) {
  return {.config = config,
          .node_name = share.node_name,
          .status_socket = flags.status_socket,
          .source = share.reader != nullptr ? service::kube_source(share.reader)
                                            : service::folder_source(share.store_dir),
          .cluster = share.access};
}

// The part of a run that is the same alone and in a node.
Status run(const KubeProxyFlags& flags, const service::ProxyAgentOptions& options,
           const std::stop_token& stop) {
  spdlog::info("weftd {} kube-proxy: node {}, {}", WEFT_VERSION, options.node_name,
               options.cluster ? options.cluster->describe() : "services in " + flags.store_dir);
  set_oom_score(options.config.oom_score_adj);
  if (flags.config_file.empty()) return run_proxy_agent(options, stop);

  // As kube-proxy does: whoever starts it will start it again.
  std::stop_source over;
  const std::stop_callback stopped(stop, [&] { over.request_stop(); });
  std::atomic<bool> changed = false;
  ASSIGN_OR_RETURN(const std::string contents, read_file(flags.config_file));
  const ConfigWatch watch(flags.config_file, contents, [&] {
    changed = true;
    over.request_stop();
  });
  RETURN_IF_ERROR(run_proxy_agent(options, over.get_token()));
  if (changed)
    return fail("the content of " + flags.config_file + " has changed",
                "start again with what it holds now");
  return {};
}

void tell_warnings(const KubeProxyFlags& flags, const service::ReadConfig& read) {
  for (const auto& warning : read.warnings) spdlog::warn("{}: {}", flags.config_file, warning);
}

Status run_alone(const KubeProxyFlags& flags, const ProxyConfig& config) {
  SignalStop signals;
  ASSIGN_OR_RETURN(const NodeShare share, share_of(flags, config));
  return run(flags, agent_options(flags, config, share), signals.token());
}

// The configuration is read anew for each run.
Status run_as_part(const KubeProxyFlags& flags, NodeShare share, const std::stop_token& stop,
                   const std::function<void()>& ready) {
  ASSIGN_OR_RETURN(const auto read, read_configuration(flags));
  tell_warnings(flags, read);
  if (!read.config.hostname_override.empty()) {
    ASSIGN_OR_RETURN(share.node_name, node_name(read.config.hostname_override));
  }
  auto options = agent_options(flags, read.config, share);
  options.ready = ready;
  return run(flags, options, stop);
}

}  // namespace

int run_kube_proxy(const std::vector<std::string>& arguments) {
  keep_heap_small();
  KubeProxyFlags flags;
  const auto table = flag_table(flags);
  if (Status parsed = parse_go_flags(table, arguments); !parsed)
    return wrong_usage(kProgram, parsed.error());
  if (flags.help) return print_help(table), 0;
  if (flags.version) return std::printf("weftd %s\n", WEFT_VERSION), 0;
  if (Status words = one_of("--log-level", flags.log_level, {"error", "warn", "info", "debug"});
      !words)
    return wrong_usage(kProgram, words.error());
  const auto read = read_configuration(flags);
  if (!read) return wrong_usage(kProgram, read.error());
  set_up_log(flags, read->config.logging);
  tell_warnings(flags, *read);
  if (!flags.write_config_to.empty())
    return exit_code(write_configuration(read->config, flags.write_config_to));
  if (flags.cleanup) return exit_code(service::clean_up_node());
  if (flags.init_only) return service::apply_conntrack_settings(read->config.conntrack), 0;
  return ended(run_alone(flags, read->config));
}

Result<node::Part> kube_proxy_part(const std::vector<std::string>& arguments,
                                   const NodeShare& share) {
  KubeProxyFlags flags;
  RETURN_IF_ERROR(parse_go_flags(flag_table(flags), arguments));
  if (flags.cleanup || flags.init_only || !flags.write_config_to.empty())
    return fail("--cleanup, --init-only and --write-config-to are not for a part of a node",
                "call weftd kube-proxy with them");
  if (!flags.master.empty() || !flags.config.client_connection.kubeconfig.empty() ||
      !flags.store_dir.empty())
    return fail("--master, --kubeconfig and --store-dir are not for a part of a node",
                "name the node's kubeconfig or storeDir in its own file");
  return node::Part{.name = "kube-proxy",
                    .run = [=](const std::stop_token& stop, const std::function<void()>& ready) {
                      return run_as_part(flags, share, stop, ready);
                    }};
}

}  // namespace weft::cmd
