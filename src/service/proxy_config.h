// proxy_config.h: KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): how kube-proxy is
// told what to do, by a file or by flags. Pure.
//
// Members are named and grouped as in the file; what has no effect here is kept all the same, so
// that it can be checked and shown.
//
// Source: k8s.io/kube-proxy/config/v1alpha1; defaults and checks of k8s.io/kubernetes
// pkg/proxy/apis/config.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "net/address.h"

namespace weft::service {

using Period = std::chrono::microseconds;

struct ProxyConfig {
  struct ClientConnection {
    std::string kubeconfig = {};
    std::string accept_content_types = {};
    std::string content_type = "application/vnd.kubernetes.protobuf";
    double qps = 5;
    int burst = 10;
  };
  struct Iptables {
    int masquerade_bit = 14;
    bool masquerade_all = false;
    bool localhost_node_ports = true;
    Period sync_period = std::chrono::seconds(30);
    Period min_sync_period{0};
  };
  struct Ipvs {
    Period sync_period = std::chrono::seconds(30);
    Period min_sync_period{0};
    std::string scheduler = {};
    std::vector<std::string> exclude_cidrs = {};
    bool strict_arp = false;
    Period tcp_timeout{0};
    Period tcp_fin_timeout{0};
    Period udp_timeout{0};
  };
  struct Nftables {
    int masquerade_bit = 14;
    bool masquerade_all = false;
    Period sync_period = std::chrono::seconds(30);
    Period min_sync_period{0};
  };
  struct Conntrack {
    int max_per_core = 32'768;  ///< 0: the kernel's limit stays as it is
    int min = 131'072;
    Period tcp_established_timeout = std::chrono::hours(24);  ///< of all: 0 leaves it as it is
    Period tcp_close_wait_timeout = std::chrono::hours(1);
    bool tcp_be_liberal = false;
    Period udp_timeout{0};
    Period udp_stream_timeout{0};
  };
  struct DetectLocal {
    std::string bridge_interface = {};
    std::string interface_name_prefix = {};
  };
  struct Logging {
    std::string format = "text";
    int verbosity = 0;
  };

  std::map<std::string, bool> feature_gates = {};
  ClientConnection client_connection = {};
  Logging logging = {};
  std::string hostname_override = {};
  std::string bind_address = "0.0.0.0";
  std::string healthz_bind_address = {};  ///< empty: by bind_address, see complete()
  std::string metrics_bind_address = {};
  bool bind_address_hard_fail = false;
  bool enable_profiling = false;
  std::string show_hidden_metrics_for_version = {};
  std::string mode = {};
  Iptables iptables = {};
  Ipvs ipvs = {};
  Nftables nftables = {};
  std::string detect_local_mode = {};
  DetectLocal detect_local = {};
  std::string cluster_cidr = {};  ///< one, or one a family with a comma between them
  std::vector<std::string> node_port_addresses = {};
  int oom_score_adj = -999;
  Conntrack conntrack = {};
  Period config_sync_period = std::chrono::minutes(15);
  std::string port_range = {};       ///< of kube-proxy's former mode userspace
  Period udp_idle_timeout{250'000};  ///< likewise

  // What counts of the groups of the modes: that of the mode, and iptables' where none is said.
  Period sync_period() const;
  Period min_sync_period() const;
  bool masquerade_all() const;
  int masquerade_bit() const;
};

/// A configuration, and what in its text was passed over: each as one sentence.
struct ReadConfig {
  ProxyConfig config = {};
  std::vector<std::string> warnings = {};
};

/// Reads the file, YAML or JSON. A key that there is not is a warning, as in kube-proxy; a value of
/// the wrong type, another kind of object or another version is an Error.
Result<ReadConfig> read_proxy_config(std::string_view text);

/// Fills in the addresses that depend on others. Then refuses what makes no sense, by the key's
/// name.
Result<ProxyConfig> complete(ProxyConfig config);

/// As the file would say it, with every key.
Json to_json(const ProxyConfig& config);

/// "10.0.0.1:10256", "[::]:10256". Nothing of other texts.
struct BindAddress {
  IpAddress address = {};
  std::uint16_t port = 0;
  static std::optional<BindAddress> parse(std::string_view text);
  bool operator==(const BindAddress&) const = default;
};

/// The detection modes of detectLocalMode.
const std::vector<std::string>& detect_local_words();

}  // namespace weft::service
