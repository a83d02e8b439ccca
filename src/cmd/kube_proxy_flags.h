// kube_proxy_flags.h: the command line of kube-proxy.
//
// Most flags are keys of KubeProxyConfiguration, and with --config the file speaks instead of them.
// Source: k8s.io/kubernetes cmd/kube-proxy/app (options.go).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmd/go_flags.h"
#include "service/proxy_config.h"

namespace weft::cmd {

struct KubeProxyFlags {
  service::ProxyConfig config = {};  ///< as the flags have it
  std::string config_file;
  std::string write_config_to;
  bool cleanup = false;
  bool init_only = false;
  std::string hostname_override;  ///< goes before the file's
  std::string master;
  std::string store_dir;
  std::string status_socket = "/run/weft-kube-proxy.sock";
  std::string log_format;  ///< goes before the file's, as does the next
  std::string log_level = "info";
  int verbosity = -1;  ///< not given
  int healthz_port = 10'256;
  int metrics_port = 10'249;
  std::string ignored;  ///< what is accepted without effect
  bool ignored_word = false;
  bool version = false;
  bool help = false;
};

std::vector<GoFlag> flag_table(KubeProxyFlags& flags);

/// A configuration that is complete, from the flags or from the file that they name, and what in
/// that file was passed over.
Result<service::ReadConfig> read_configuration(const KubeProxyFlags& flags);

/// The name of the node's Node: `override` in lower case, or else the host's name.
Result<std::string> node_name(const std::string& override);

}  // namespace weft::cmd
