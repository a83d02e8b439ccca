// `weftd flanneld`: flags in, the agent called, exit code out.
#include "cmd/flanneld_command.h"

#include <cstdio>
#include <memory>
#include <stop_token>

#include "base/log.h"
#include "base/pattern.h"
#include "base/text.h"
#include "cmd/daemon.h"
#include "cmd/go_flags.h"
#include "overlay/agent.h"
#include "store/directory_store.h"
#include "store/etcd_store.h"
#include "store/kube_store.h"

namespace weft::cmd {
namespace {

constexpr const char* kEnvironmentPrefix = "FLANNELD_";

// Everything the command line says, by flanneld's names and with its defaults.
struct Flags {
  std::string store;
  std::string store_dir = "/var/lib/weft/store";
  std::string etcd_endpoints = "http://127.0.0.1:4001,http://127.0.0.1:2379";
  std::string etcd_prefix = "/coreos.com/network";
  std::string etcd_keyfile;
  std::string etcd_certfile;
  std::string etcd_cafile;
  std::string etcd_username;
  std::string etcd_password;
  bool kube_subnet_mgr = false;
  std::string kube_api_url;
  std::string kubeconfig_file;
  std::string kube_annotation_prefix = "flannel.alpha.coreos.com";
  std::string net_config_path = "/etc/kube-flannel/net-conf.json";
  bool set_node_network_unavailable = true;
  std::vector<std::string> iface;
  std::vector<std::string> iface_regex;
  std::string iface_can_reach;
  std::string public_ip;
  std::string public_ipv6;
  std::string subnet_file = "/run/flannel/subnet.env";
  int renew_margin = 60;
  bool ip_masq = false;
  bool random_fully_disable = false;
  bool forward_rules = true;
  bool blackhole_route = false;
  int iptables_resync = 5;
  std::string healthz_ip = "0.0.0.0";
  int healthz_port = 0;
  std::string log_format = "text";
  std::string log_level = "info";
  int verbosity = 0;
  std::string vmodule;
  std::string log_backtrace_at;
  bool version = false;
  bool help = false;
};

std::vector<GoFlag> flag_table(Flags& flags) {
  return {
      text_flag("store", flags.store,
                "where leases are kept: directory (one machine) or etcd; etcd when an etcd flag "
                "is given or the program is called flanneld"),
      text_flag("store-dir", flags.store_dir, "the directory store's folder"),
      text_flag("etcd-endpoints", flags.etcd_endpoints, "etcd endpoints, separated by commas"),
      text_flag("etcd-prefix", flags.etcd_prefix, "etcd prefix"),
      text_flag("etcd-keyfile", flags.etcd_keyfile, "client key for etcd (PEM)"),
      text_flag("etcd-certfile", flags.etcd_certfile, "client certificate for etcd (PEM)"),
      text_flag("etcd-cafile", flags.etcd_cafile, "certificate authority of etcd (PEM)"),
      text_flag("etcd-username", flags.etcd_username, "etcd user"),
      text_flag("etcd-password", flags.etcd_password, "etcd password"),
      bool_flag("kube-subnet-mgr", flags.kube_subnet_mgr,
                "the cluster's Nodes hold the leases: follow them in the Kubernetes API"),
      text_flag("kube-api-url", flags.kube_api_url,
                "Kubernetes API server; goes before the one of the kubeconfig"),
      text_flag("kubeconfig-file", flags.kubeconfig_file,
                "kubeconfig; without one the pod's service account is taken"),
      text_flag("kube-annotation-prefix", flags.kube_annotation_prefix,
                "prefix of the annotations on Nodes"),
      text_flag("net-config-path", flags.net_config_path, "net-conf.json, with --kube-subnet-mgr"),
      bool_flag("set-node-network-unavailable", flags.set_node_network_unavailable,
                "set the Node's condition NetworkUnavailable to False once its peers are there"),
      list_flag("iface", flags.iface, "name or address of the interface that meets the peers"),
      list_flag("iface-regex", flags.iface_regex,
                "regular expression for that interface's address or else its name"),
      text_flag("iface-can-reach", flags.iface_can_reach,
                "take the interface through which this address is reached"),
      text_flag("public-ip", flags.public_ip, "address that peers are told, IPv4"),
      text_flag("public-ipv6", flags.public_ipv6, "address that peers are told, IPv6"),
      text_flag("subnet-file", flags.subnet_file, "where the node's subnet is written"),
      int_flag("subnet-lease-renew-margin", flags.renew_margin, 1, 1439,
               "minutes before its end that a lease is renewed"),
      bool_flag("ip-masq", flags.ip_masq, "masquerade what leaves the pod network"),
      bool_flag("ip-masq-fully-random-disable", flags.random_fully_disable,
                "masquerade without fully random ports"),
      bool_flag("iptables-forward-rules", flags.forward_rules,
                "accept the pods' packets in the forward hook"),
      int_flag("iptables-resync", flags.iptables_resync, 0, 86'400,
               "accepted for flanneld's sake: rules are repaired when they change"),
      bool_flag("ip-blackhole-route", flags.blackhole_route,
                "drop what is sent to an address of this node's subnet that no pod has"),
      text_flag("healthz-ip", flags.healthz_ip, "where to answer probes and Prometheus"),
      int_flag("healthz-port", flags.healthz_port, 0, 65535,
               "port of /healthz, /livez, /readyz and /metrics; 0: none"),
      text_flag("log-format", flags.log_format, "text or json"),
      text_flag("log-level", flags.log_level, "error, warn, info or debug"),
      int_flag("v", flags.verbosity, 0, 99, "klog's verbosity: from 2 on the same as debug"),
      text_flag("vmodule", flags.vmodule, "accepted for flanneld's sake, without effect"),
      text_flag("log_backtrace_at", flags.log_backtrace_at,
                "accepted for flanneld's sake, without effect"),
      bool_flag("version", flags.version, "print the version and end"),
      bool_flag("help", flags.help, "print this and end"),
  };
}

void print_help(const std::vector<GoFlag>& table) {
  std::printf(
      "weftd flanneld: the pod network's agent on one node, in flanneld's place\n\n"
      "Examples:\n"
      "  weftd flanneld --ip-masq --iface=eth0\n"
      "  weftd flanneld --etcd-endpoints=https://10.0.0.1:2379 --etcd-cafile=/etc/etcd/ca.pem\n"
      "  weftd flanneld --ip-masq --kube-subnet-mgr\n"
      "  weftd flanneld --store-dir=/var/lib/weft/store --log-format=json\n\n"
      "Flags:\n%s",
      describe_flags(table, kEnvironmentPrefix).c_str());
}

bool etcd_is_meant(const Flags& flags) {
  const Flags untouched;
  return flags.etcd_endpoints != untouched.etcd_endpoints ||
         flags.etcd_prefix != untouched.etcd_prefix || !flags.etcd_cafile.empty() ||
         !flags.etcd_certfile.empty() || !flags.etcd_username.empty();
}

Result<std::unique_ptr<LeaseStore>> open_store(const Flags& flags, bool drop_in,
                                               const std::stop_token& stop) {
  std::string kind = flags.store;
  if (kind.empty()) kind = drop_in || etcd_is_meant(flags) ? "etcd" : "directory";
  if (kind == "directory") {
    ASSIGN_OR_RETURN(auto store, DirectoryStore::open(flags.store_dir));
    return std::unique_ptr<LeaseStore>(std::move(store));
  }
  EtcdOptions options;
  options.endpoints = split(flags.etcd_endpoints, ',');
  options.prefix = flags.etcd_prefix;
  options.ca_file = flags.etcd_cafile;
  options.certificate_file = flags.etcd_certfile;
  options.key_file = flags.etcd_keyfile;
  options.username = flags.etcd_username;
  options.password = flags.etcd_password;
  ASSIGN_OR_RETURN(auto store, EtcdStore::open(options, stop));
  return std::unique_ptr<LeaseStore>(std::move(store));
}

Result<std::shared_ptr<KubeReader>> open_reader(const Flags& flags) {
  ASSIGN_OR_RETURN(KubeAccess access, find_kube_access({.api_url = flags.kube_api_url,
                                                        .kubeconfig = flags.kubeconfig_file},
                                                       environment));
  return std::make_shared<KubeReader>(std::move(access));
}

Result<std::unique_ptr<KubeStore>> open_kube_store(const Flags& flags, const NodeShare& share) {
  KubeStoreOptions options{.reader = share.reader};
  if (options.reader == nullptr) {
    ASSIGN_OR_RETURN(options.reader, open_reader(flags));
  }
  ASSIGN_OR_RETURN(options.prefix, AnnotationPrefix::parse(flags.kube_annotation_prefix));
  options.net_config_path = flags.net_config_path;
  options.node_name = share.node_name;
  options.pod_namespace = environment("POD_NAMESPACE").value_or("");
  options.pod_name = environment("POD_NAME").value_or("");
  if (options.node_name.empty() && (options.pod_name.empty() || options.pod_namespace.empty()))
    return fail("which Node this is cannot be known",
                "set NODE_NAME from spec.nodeName, or POD_NAME and POD_NAMESPACE");
  return std::make_unique<KubeStore>(std::move(options));
}

// Until a stop, with the store that the flags ask for.
template <class Store>
Status run_on(Result<std::unique_ptr<Store>> store, const overlay::AgentOptions& options,
              const std::stop_token& stop) {
  if (!store) return Failure(std::move(store).error());
  spdlog::info("weftd {} flanneld: leases in {}", WEFT_VERSION, (*store)->describe());
  return overlay::run_agent(**store, options, stop);
}

Status run(const Flags& flags, const NodeShare& share, bool drop_in,
           const overlay::AgentOptions& options, const std::stop_token& stop) {
  if (flags.kube_subnet_mgr) return run_on(open_kube_store(flags, share), options, stop);
  return run_on(open_store(flags, drop_in, stop), options, stop);
}

Status read_public_address(const std::string& text, Family family, const char* flag,
                           overlay::UplinkOptions& options) {
  if (text.empty()) return {};
  const auto address = IpAddress::parse(text);
  if (!address || address->family() != family)
    return fail(std::string(flag) + ": \"" + text + "\" is no " + std::string(to_string(family)) +
                " address");
  options.public_addresses[family] = *address;
  return {};
}

Status read_interface_choice(const Flags& flags, overlay::UplinkOptions& options) {
  options.interfaces = flags.iface;
  for (const auto& text : flags.iface_regex) {
    auto pattern = Pattern::parse(text);
    if (!pattern) return because("--iface-regex", pattern.error());
    options.patterns.push_back(*std::move(pattern));
  }
  if (flags.iface_can_reach.empty()) return {};
  options.can_reach = IpAddress::parse(flags.iface_can_reach);
  if (!options.can_reach)
    return fail("--iface-can-reach: \"" + flags.iface_can_reach + "\" is no address");
  return {};
}

Result<overlay::AgentOptions> agent_options(const Flags& flags) {
  overlay::AgentOptions options;
  RETURN_IF_ERROR(read_interface_choice(flags, options.node.uplink));
  RETURN_IF_ERROR(
      read_public_address(flags.public_ip, Family::kIpv4, "--public-ip", options.node.uplink));
  RETURN_IF_ERROR(
      read_public_address(flags.public_ipv6, Family::kIpv6, "--public-ipv6", options.node.uplink));
  options.node.subnet_file = flags.subnet_file;
  options.node.masquerade = flags.ip_masq;
  options.node.forward_rules = flags.forward_rules;
  options.node.blackhole_route = flags.blackhole_route;
  options.node.random_fully = !flags.random_fully_disable;
  const auto healthz_ip = IpAddress::parse(flags.healthz_ip);
  if (!healthz_ip) return fail("--healthz-ip: \"" + flags.healthz_ip + "\" is no address");
  options.health = {.address = *healthz_ip, .port = static_cast<std::uint16_t>(flags.healthz_port)};
  options.declare_available = flags.set_node_network_unavailable;
  options.lease.renew_margin = std::chrono::minutes(flags.renew_margin);
  return options;
}

// What the parts of a node have in common is told once.
Status refuse_own_access(const Flags& flags) {
  if (flags.kube_api_url.empty() && flags.kubeconfig_file.empty()) return {};
  return fail("--kube-api-url and --kubeconfig-file are not for a part of a node",
              "name the node's kubeconfig in its own file");
}

Status check_words(const Flags& flags) {
  if (!flags.store.empty()) RETURN_IF_ERROR(one_of("--store", flags.store, {"directory", "etcd"}));
  RETURN_IF_ERROR(one_of("--log-format", flags.log_format, {"text", "json"}));
  return one_of("--log-level", flags.log_level, {"error", "warn", "info", "debug"});
}

}  // namespace

int run_flanneld(const std::vector<std::string>& arguments, bool drop_in) {
  keep_heap_small();
  Flags flags;
  const auto table = flag_table(flags);
  if (Status parsed = parse_go_flags(table, arguments, kEnvironmentPrefix); !parsed)
    return wrong_usage("flanneld", parsed.error());
  if (flags.help) return print_help(table), 0;
  if (flags.version) return std::printf("weftd %s\n", WEFT_VERSION), 0;
  if (Status words = check_words(flags); !words) return wrong_usage("flanneld", words.error());
  auto options = agent_options(flags);
  if (!options) return wrong_usage("flanneld", options.error());
  set_up_log(flags.log_format == "json" ? LogFormat::kJson : LogFormat::kText,
             spdlog::level::from_str(flags.verbosity >= 2 ? "debug" : flags.log_level));
  options->manager = ServiceManager::from_environment();

  SignalStop signals;
  const NodeShare alone{.node_name = environment("NODE_NAME").value_or("")};
  return ended(run(flags, alone, drop_in, *options, signals.token()));
}

Result<node::Part> flanneld_part(const std::vector<std::string>& arguments,
                                 const NodeShare& share) {
  Flags flags;
  RETURN_IF_ERROR(parse_go_flags(flag_table(flags), arguments, kEnvironmentPrefix));
  RETURN_IF_ERROR(check_words(flags));
  RETURN_IF_ERROR(refuse_own_access(flags));
  if (share.reader != nullptr && flags.store.empty() && !etcd_is_meant(flags))
    flags.kube_subnet_mgr = true;
  ASSIGN_OR_RETURN(const auto options, agent_options(flags));
  return node::Part{.name = "flanneld",
                    .run = [=](const std::stop_token& stop, const std::function<void()>& ready) {
                      auto with_ready = options;
                      with_ready.ready = ready;
                      return run(flags, share, false, with_ready, stop);
                    }};
}

}  // namespace weft::cmd
