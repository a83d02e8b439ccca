// `weftd kube-proxy`: flags in, the service proxy called, exit code out.
#include "cmd/kube_proxy_command.h"

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

Result<service::ProxyAgentOptions> agent_options(const KubeProxyFlags& flags,
                                                 const ProxyConfig& config) {
  service::ProxyAgentOptions options{.config = config, .status_socket = flags.status_socket};
  ASSIGN_OR_RETURN(options.node_name, node_name(config.hostname_override));
  if (!flags.store_dir.empty()) {
    options.source = service::folder_source(flags.store_dir);
    spdlog::info("weftd {} kube-proxy: node {}, services in {}", WEFT_VERSION, options.node_name,
                 flags.store_dir);
    return options;
  }
  ASSIGN_OR_RETURN(
      auto access,
      find_kube_access({.api_url = flags.master, .kubeconfig = config.client_connection.kubeconfig},
                       environment));
  spdlog::info("weftd {} kube-proxy: node {}, {}", WEFT_VERSION, options.node_name,
               access.describe());
  options.source = service::kube_source(access);
  options.cluster = std::move(access);
  return options;
}

Status run(const KubeProxyFlags& flags, const ProxyConfig& config) {
  SignalStop signals;
  ASSIGN_OR_RETURN(const auto options, agent_options(flags, config));
  set_oom_score(config.oom_score_adj);
  if (flags.config_file.empty()) return run_proxy_agent(options, signals.token());

  // As kube-proxy does: whoever starts it will start it again.
  std::stop_source over;
  const std::stop_callback stopped(signals.token(), [&] { over.request_stop(); });
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
  for (const auto& warning : read->warnings) spdlog::warn("{}: {}", flags.config_file, warning);
  if (!flags.write_config_to.empty())
    return exit_code(write_configuration(read->config, flags.write_config_to));
  if (flags.cleanup) return exit_code(service::clean_up_node());
  if (flags.init_only) return service::apply_conntrack_settings(read->config.conntrack), 0;
  return ended(run(flags, read->config));
}

}  // namespace weft::cmd
