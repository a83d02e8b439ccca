// proxy_config_fields.h: the keys of KubeProxyConfiguration, once for reading and for writing.
#pragma once

#include "service/proxy_config.h"

namespace weft::service {

/// Calls visitor.field(KEY, MEMBER) for each key, and visitor.group(KEY, VISIT) for each group,
/// whose VISIT takes a visitor in turn. `Config` is ProxyConfig, const or not. In alphabetical
/// order, as kube-proxy writes them.
template <class Config, class Visitor>
void visit_fields(Config& c, Visitor& visitor) {
  visitor.field("bindAddress", c.bind_address);
  visitor.field("bindAddressHardFail", c.bind_address_hard_fail);
  visitor.group("clientConnection", [&](auto& inner) {
    inner.field("acceptContentTypes", c.client_connection.accept_content_types);
    inner.field("burst", c.client_connection.burst);
    inner.field("contentType", c.client_connection.content_type);
    inner.field("kubeconfig", c.client_connection.kubeconfig);
    inner.field("qps", c.client_connection.qps);
  });
  visitor.field("clusterCIDR", c.cluster_cidr);
  visitor.field("configSyncPeriod", c.config_sync_period);
  visitor.group("conntrack", [&](auto& inner) {
    inner.field("maxPerCore", c.conntrack.max_per_core);
    inner.field("min", c.conntrack.min);
    inner.field("tcpBeLiberal", c.conntrack.tcp_be_liberal);
    inner.field("tcpCloseWaitTimeout", c.conntrack.tcp_close_wait_timeout);
    inner.field("tcpEstablishedTimeout", c.conntrack.tcp_established_timeout);
    inner.field("udpStreamTimeout", c.conntrack.udp_stream_timeout);
    inner.field("udpTimeout", c.conntrack.udp_timeout);
  });
  visitor.group("detectLocal", [&](auto& inner) {
    inner.field("bridgeInterface", c.detect_local.bridge_interface);
    inner.field("interfaceNamePrefix", c.detect_local.interface_name_prefix);
  });
  visitor.field("detectLocalMode", c.detect_local_mode);
  visitor.field("enableProfiling", c.enable_profiling);
  visitor.field("featureGates", c.feature_gates);
  visitor.field("healthzBindAddress", c.healthz_bind_address);
  visitor.field("hostnameOverride", c.hostname_override);
  visitor.group("iptables", [&](auto& inner) {
    inner.field("localhostNodePorts", c.iptables.localhost_node_ports);
    inner.field("masqueradeAll", c.iptables.masquerade_all);
    inner.field("masqueradeBit", c.iptables.masquerade_bit);
    inner.field("minSyncPeriod", c.iptables.min_sync_period);
    inner.field("syncPeriod", c.iptables.sync_period);
  });
  visitor.group("ipvs", [&](auto& inner) {
    inner.field("excludeCIDRs", c.ipvs.exclude_cidrs);
    inner.field("minSyncPeriod", c.ipvs.min_sync_period);
    inner.field("scheduler", c.ipvs.scheduler);
    inner.field("strictARP", c.ipvs.strict_arp);
    inner.field("syncPeriod", c.ipvs.sync_period);
    inner.field("tcpFinTimeout", c.ipvs.tcp_fin_timeout);
    inner.field("tcpTimeout", c.ipvs.tcp_timeout);
    inner.field("udpTimeout", c.ipvs.udp_timeout);
  });
  visitor.group("logging", [&](auto& inner) {
    inner.field("format", c.logging.format);
    inner.field("verbosity", c.logging.verbosity);
    inner.accept("flushFrequency");
    inner.accept("options");
    inner.accept("vmodule");
  });
  visitor.field("metricsBindAddress", c.metrics_bind_address);
  visitor.field("mode", c.mode);
  visitor.group("nftables", [&](auto& inner) {
    inner.field("masqueradeAll", c.nftables.masquerade_all);
    inner.field("masqueradeBit", c.nftables.masquerade_bit);
    inner.field("minSyncPeriod", c.nftables.min_sync_period);
    inner.field("syncPeriod", c.nftables.sync_period);
  });
  visitor.field("nodePortAddresses", c.node_port_addresses);
  visitor.field("oomScoreAdj", c.oom_score_adj);
  visitor.field("portRange", c.port_range);
  visitor.field("showHiddenMetricsForVersion", c.show_hidden_metrics_for_version);
  visitor.field("udpIdleTimeout", c.udp_idle_timeout);
  // Of other systems, or of former releases.
  visitor.accept("resourceContainer");
  visitor.accept("windowsRunAsService");
  visitor.accept("winkernel");
}

}  // namespace weft::service
