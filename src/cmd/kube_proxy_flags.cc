#include "cmd/kube_proxy_flags.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/files.h"
#include "base/text.h"

namespace weft::cmd {
namespace {

using service::ProxyConfig;

constexpr int kMost = std::numeric_limits<int>::max();
constexpr const char* kNoEffect = "accepted for kube-proxy's sake, without effect";

void add_cluster_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  ProxyConfig& c = flags.config;
  table.push_back(text_flag("kubeconfig", c.client_connection.kubeconfig,
                            "kubeconfig; without one the pod's service account is taken"));
  table.push_back(text_flag("master", flags.master,
                            "Kubernetes API server; goes before the one of the kubeconfig"));
  table.push_back(text_flag("store-dir", flags.store_dir,
                            "a folder of manifests (Services, EndpointSlices, the Node) in the "
                            "cluster's place"));
  table.push_back(text_flag("hostname-override", flags.hostname_override,
                            "the name of this node's Node; else the host's"));
  table.push_back(text_flag("kube-api-content-type", c.client_connection.content_type, kNoEffect));
  table.push_back(int_flag("kube-api-burst", c.client_connection.burst, 0, kMost, kNoEffect));
  table.push_back(text_flag("kube-api-qps", flags.ignored, kNoEffect));
  table.push_back(period_flag("config-sync-period", c.config_sync_period, kNoEffect));
  table.push_back(switches_flag("feature-gates", c.feature_gates, kNoEffect));
}

void add_mode_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  ProxyConfig& c = flags.config;
  table.push_back(text_flag("proxy-mode", c.mode,
                            "nftables (also where nothing is said), iptables or userspace"));
  table.push_back(bool_flag("masquerade-all", c.iptables.masquerade_all,
                            "masquerade all traffic to cluster addresses"));
  table.push_back(int_flag("iptables-masquerade-bit", c.iptables.masquerade_bit, 0, 31,
                           "the bit of the packet mark that asks for masquerading"));
  table.push_back(bool_flag("iptables-localhost-nodeports", c.iptables.localhost_node_ports,
                            "in mode iptables: serve node ports at 127.0.0.1"));
  table.push_back(period_flag("iptables-sync-period", c.iptables.sync_period,
                              "half of the time after which a waiting change is unhealthy"));
  table.push_back(period_flag("iptables-min-sync-period", c.iptables.min_sync_period,
                              "at least so long between two changes of the rules"));
  table.push_back(period_flag("ipvs-sync-period", c.ipvs.sync_period, kNoEffect));
  table.push_back(period_flag("ipvs-min-sync-period", c.ipvs.min_sync_period, kNoEffect));
  table.push_back(text_flag("ipvs-scheduler", c.ipvs.scheduler, kNoEffect));
  table.push_back(words_flag("ipvs-exclude-cidrs", c.ipvs.exclude_cidrs, kNoEffect));
  table.push_back(bool_flag("ipvs-strict-arp", c.ipvs.strict_arp, kNoEffect));
  table.push_back(period_flag("ipvs-tcp-timeout", c.ipvs.tcp_timeout, kNoEffect));
  table.push_back(period_flag("ipvs-tcpfin-timeout", c.ipvs.tcp_fin_timeout, kNoEffect));
  table.push_back(period_flag("ipvs-udp-timeout", c.ipvs.udp_timeout, kNoEffect));
  table.push_back(text_flag("proxy-port-range", c.port_range,
                            "in mode userspace: where clients come in: FIRST-LAST, one port, or "
                            "FIRST+MORE; else at any ports"));
  table.push_back(period_flag("udp-timeout", c.udp_idle_timeout,
                              "in mode userspace: how long an idle UDP flow is kept"));
}

void add_traffic_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  ProxyConfig& c = flags.config;
  table.push_back(text_flag("cluster-cidr", c.cluster_cidr,
                            "range of the cluster's pods, or one a family with a comma between"));
  table.push_back(text_flag("detect-local-mode", c.detect_local_mode,
                            "how this node's pods are told from others: ClusterCIDR, NodeCIDR, "
                            "BridgeInterface or InterfaceNamePrefix"));
  table.push_back(text_flag("pod-bridge-interface", c.detect_local.bridge_interface,
                            "the bridge of BridgeInterface"));
  table.push_back(text_flag("pod-interface-name-prefix", c.detect_local.interface_name_prefix,
                            "the front of names of InterfaceNamePrefix"));
  table.push_back(words_flag("nodeport-addresses", c.node_port_addresses,
                             "ranges of the node's addresses at which its ports are served, or "
                             "primary"));
  table.push_back(text_flag("bind-address", c.bind_address,
                            "the node's own address, instead of the one in its Node"));
}

void add_server_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  ProxyConfig& c = flags.config;
  c.healthz_bind_address = "0.0.0.0:10256";
  c.metrics_bind_address = "127.0.0.1:10249";
  table.push_back(text_flag("healthz-bind-address", c.healthz_bind_address,
                            "where /healthz and /livez are answered; empty: nowhere"));
  table.push_back(text_flag("metrics-bind-address", c.metrics_bind_address,
                            "where /metrics and /proxyMode are answered; empty: nowhere"));
  table.push_back(int_flag("healthz-port", flags.healthz_port, 0, 65'535, "0: no /healthz"));
  table.push_back(int_flag("metrics-port", flags.metrics_port, 0, 65'535, "0: no /metrics"));
  table.push_back(bool_flag("bind-address-hard-fail", c.bind_address_hard_fail,
                            "end when one of these ports cannot be had"));
  table.push_back(text_flag("status-socket", flags.status_socket,
                            "where weft status services asks; empty: nowhere"));
  table.push_back(bool_flag("profiling", c.enable_profiling, kNoEffect));
  table.push_back(
      text_flag("show-hidden-metrics-for-version", c.show_hidden_metrics_for_version, kNoEffect));
}

void add_kernel_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  ProxyConfig::Conntrack& c = flags.config.conntrack;
  table.push_back(int_flag("conntrack-max-per-core", c.max_per_core, 0, kMost,
                           "connections that are followed, times the processors; 0: as it is"));
  table.push_back(int_flag("conntrack-min", c.min, 0, kMost, "but at least so many"));
  table.push_back(period_flag("conntrack-tcp-timeout-established", c.tcp_established_timeout,
                              "for idle connections; 0: as it is"));
  table.push_back(period_flag("conntrack-tcp-timeout-close-wait", c.tcp_close_wait_timeout,
                              "for half-closed connections; 0: as it is"));
  table.push_back(bool_flag("conntrack-tcp-be-liberal", c.tcp_be_liberal,
                            "take packets outside of TCP's window for valid"));
  table.push_back(period_flag("conntrack-udp-timeout", c.udp_timeout,
                              "for UDP without an answer; 0: as it is"));
  table.push_back(period_flag("conntrack-udp-timeout-stream", c.udp_stream_timeout,
                              "for UDP with answers; 0: as it is"));
  table.push_back(int_flag("oom-score-adj", flags.config.oom_score_adj, -1000, 1000,
                           "how soon the kernel ends this process when memory is short"));
}

void add_log_flags(KubeProxyFlags& flags, std::vector<GoFlag>& table) {
  table.push_back(text_flag("logging-format", flags.log_format, "text or json"));
  table.push_back(text_flag("log-level", flags.log_level, "error, warn, info or debug"));
  table.push_back(
      int_flag("v", flags.verbosity, 0, 99, "klog's verbosity: from 4 on the same as debug"));
  for (const char* name :
       {"vmodule", "log-flush-frequency", "log-json-info-buffer-size", "log-text-info-buffer-size",
        "boot-id-file", "machine-id-file", "resource-container"})
    table.push_back(text_flag(name, flags.ignored, kNoEffect));
  for (const char* name : {"log-json-split-stream", "log-text-split-stream", "logtostderr",
                           "alsologtostderr", "cleanup-ipvs"})
    table.push_back(bool_flag(name, flags.ignored_word, kNoEffect));
}

// The flags know one group of the modes' keys, which is for whichever mode there is.
ProxyConfig configuration_of(const KubeProxyFlags& flags) {
  ProxyConfig config = flags.config;
  config.nftables.sync_period = config.iptables.sync_period;
  config.nftables.min_sync_period = config.iptables.min_sync_period;
  config.nftables.masquerade_all = config.iptables.masquerade_all;
  return config;
}

}  // namespace

std::vector<GoFlag> flag_table(KubeProxyFlags& flags) {
  std::vector<GoFlag> table{
      text_flag("config", flags.config_file,
                "a file of kind KubeProxyConfiguration; speaks instead of most flags"),
      text_flag("write-config-to", flags.write_config_to,
                "write such a file with what the flags say, and end"),
      bool_flag("cleanup", flags.cleanup, "remove all services from this node's kernel, and end"),
      bool_flag("init-only", flags.init_only, "make the settings that only root can make, and end"),
      bool_flag("version", flags.version, "print the version and end"),
      bool_flag("help", flags.help, "print this and end")};
  add_cluster_flags(flags, table);
  add_mode_flags(flags, table);
  add_traffic_flags(flags, table);
  add_server_flags(flags, table);
  add_kernel_flags(flags, table);
  add_log_flags(flags, table);
  return table;
}

Result<service::ReadConfig> read_configuration(const KubeProxyFlags& flags) {
  service::ReadConfig read;
  if (flags.config_file.empty()) {
    ASSIGN_OR_RETURN(read.config, complete(configuration_of(flags)));
    if (flags.config.healthz_bind_address.empty() || flags.healthz_port == 0)
      read.config.healthz_bind_address.clear();
    if (flags.config.metrics_bind_address.empty() || flags.metrics_port == 0)
      read.config.metrics_bind_address.clear();
  } else {
    ASSIGN_OR_RETURN(const std::string text, read_file(flags.config_file));
    auto file = service::read_proxy_config(text);
    if (!file) return because(flags.config_file, file.error());
    auto config = complete(std::move(file->config));
    if (!config) return because(flags.config_file, config.error());
    read = {.config = *std::move(config), .warnings = std::move(file->warnings)};
  }
  if (!flags.hostname_override.empty()) read.config.hostname_override = flags.hostname_override;
  if (!flags.log_format.empty()) read.config.logging.format = flags.log_format;
  if (flags.verbosity >= 0) read.config.logging.verbosity = flags.verbosity;
  return read;
}

Result<std::string> node_name(const std::string& override) {
  std::string name(trim(override));
  if (name.empty()) {
    char host[256] = {};
    if (::gethostname(host, sizeof host - 1) != 0) return fail_errno("asking for the host's name");
    name = trim(host);
  }
  if (name.empty())
    return fail("the name of this node's Node is not known", "say it with --hostname-override");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return name;
}

}  // namespace weft::cmd
