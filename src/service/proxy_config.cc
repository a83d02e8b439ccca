#include "service/proxy_config.h"

#include <algorithm>

#include "base/go_duration.h"
#include "base/text.h"
#include "cluster/object_texts.h"
#include "service/proxy_config_fields.h"

namespace weft::service {
namespace {

constexpr std::uint16_t kHealthzPort = 10'256;
constexpr std::uint16_t kMetricsPort = 10'249;

// As visit_fields() shows them.
class Writer {
 public:
  explicit Writer(Json& object) : object_(object) {}

  template <class T>
  void field(const char* key, const T& value) {
    object_[key] = value;
  }
  void field(const char* key, const Period& value) { object_[key] = print_go_duration(value); }
  template <class Visit>
  void group(const char* key, Visit visit) {
    Json group = Json::object();
    Writer inner(group);
    visit(inner);
    object_[key] = std::move(group);
  }
  void accept(const char* /*key*/) {}

 private:
  Json& object_;
};

// "ADDRESS" with the usual port behind it, where it has none.
std::string with_port(const std::string& text, std::uint16_t port) {
  const auto address = parse_object_address(text);
  if (!address) return text;
  return (address->is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

void complete_addresses(ProxyConfig& config) {
  const auto bound = parse_object_address(config.bind_address);
  const bool v6 = bound && !bound->is_v4();
  if (config.healthz_bind_address.empty()) config.healthz_bind_address = v6 ? "::" : "0.0.0.0";
  if (config.metrics_bind_address.empty()) config.metrics_bind_address = v6 ? "::1" : "127.0.0.1";
  config.healthz_bind_address = with_port(config.healthz_bind_address, kHealthzPort);
  config.metrics_bind_address = with_port(config.metrics_bind_address, kMetricsPort);
}

Status check_range(const char* key, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return fail(std::string(key) + ": " + std::to_string(value) + " is not from " +
              std::to_string(least) + " to " + std::to_string(most));
}

Status check_bind_address(const char* key, const std::string& text) {
  if (BindAddress::parse(text)) return {};
  return fail(std::string(key) + ": \"" + text + "\" is no address with a port",
              "write it like 127.0.0.1:10249 or [::]:10256");
}

Status check_numbers(const ProxyConfig& config) {
  constexpr int kMost = std::numeric_limits<std::int32_t>::max();
  RETURN_IF_ERROR(check_range("iptables.masqueradeBit", config.iptables.masquerade_bit, 0, 31));
  RETURN_IF_ERROR(check_range("nftables.masqueradeBit", config.nftables.masquerade_bit, 0, 31));
  RETURN_IF_ERROR(check_range("oomScoreAdj", config.oom_score_adj, -1000, 1000));
  RETURN_IF_ERROR(check_range("conntrack.maxPerCore", config.conntrack.max_per_core, 0, kMost));
  RETURN_IF_ERROR(check_range("conntrack.min", config.conntrack.min, 0, kMost));
  RETURN_IF_ERROR(check_range("clientConnection.burst", config.client_connection.burst, 0, kMost));
  if (config.min_sync_period() > config.sync_period())
    return fail("minSyncPeriod " + print_go_duration(config.min_sync_period()) +
                " is longer than syncPeriod " + print_go_duration(config.sync_period()));
  return {};
}

Status check_node_ports(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word == "primary" && words.size() == 1) continue;
    if (word == "primary")
      return fail("nodePortAddresses: primary stands alone or not at all",
                  "name the node's addresses as ranges beside the others");
    if (!Prefix::parse(word))
      return fail("nodePortAddresses: \"" + word + "\" is no range of addresses",
                  "write it like 192.0.2.0/24, or primary");
  }
  return {};
}

Status check_cluster_cidr(const std::string& text) {
  if (text.empty()) return {};
  std::vector<Family> families;
  for (const auto& word : split(text, ',')) {
    const auto range = Prefix::parse(word);
    if (!range) return fail("clusterCIDR: \"" + word + "\" is no range of addresses");
    if (std::find(families.begin(), families.end(), range->family()) != families.end())
      return fail("clusterCIDR: \"" + text + "\" has two ranges of one family",
                  "name one for IPv4 and one for IPv6");
    families.push_back(range->family());
  }
  return {};
}

Status check_detection(const ProxyConfig& config) {
  const auto& words = detect_local_words();
  const std::string& mode = config.detect_local_mode;
  if (!mode.empty() && std::find(words.begin(), words.end(), mode) == words.end())
    return fail("detectLocalMode: there is no \"" + mode + "\"" + did_you_mean(mode, words));
  if (mode == "BridgeInterface" && config.detect_local.bridge_interface.empty())
    return fail("detectLocalMode BridgeInterface needs detectLocal.bridgeInterface");
  if (mode == "InterfaceNamePrefix" && config.detect_local.interface_name_prefix.empty())
    return fail("detectLocalMode InterfaceNamePrefix needs detectLocal.interfaceNamePrefix");
  return mode.empty() || mode == "ClusterCIDR" ? check_cluster_cidr(config.cluster_cidr) : Status();
}

}  // namespace

const std::vector<std::string>& detect_local_words() {
  static const std::vector<std::string> kWords{"ClusterCIDR", "NodeCIDR", "BridgeInterface",
                                               "InterfaceNamePrefix"};
  return kWords;
}

std::optional<BindAddress> BindAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = parse_object_address(host);
  const auto port = parse_number(text.substr(colon + 1));
  if (!address || address->is_v4() == bracketed || !port || *port < 1 || *port > 65'535)
    return std::nullopt;
  return BindAddress{.address = *address, .port = static_cast<std::uint16_t>(*port)};
}

Period ProxyConfig::sync_period() const {
  if (mode == "ipvs") return ipvs.sync_period;
  return mode == "nftables" ? nftables.sync_period : iptables.sync_period;
}
Period ProxyConfig::min_sync_period() const {
  if (mode == "ipvs") return ipvs.min_sync_period;
  return mode == "nftables" ? nftables.min_sync_period : iptables.min_sync_period;
}
bool ProxyConfig::masquerade_all() const {
  return mode == "nftables" ? nftables.masquerade_all : iptables.masquerade_all;
}
int ProxyConfig::masquerade_bit() const {
  return mode == "nftables" ? nftables.masquerade_bit : iptables.masquerade_bit;
}

Result<ProxyConfig> complete(ProxyConfig config) {
  complete_addresses(config);
  RETURN_IF_ERROR(check_numbers(config));
  if (!parse_object_address(config.bind_address))
    return fail("bindAddress: \"" + config.bind_address + "\" is no address");
  RETURN_IF_ERROR(check_bind_address("healthzBindAddress", config.healthz_bind_address));
  RETURN_IF_ERROR(check_bind_address("metricsBindAddress", config.metrics_bind_address));
  RETURN_IF_ERROR(check_node_ports(config.node_port_addresses));
  RETURN_IF_ERROR(check_detection(config));
  if (config.logging.format != "text" && config.logging.format != "json")
    return fail("logging.format: there is no \"" + config.logging.format + "\"",
                "take text or json");
  return config;
}

Json to_json(const ProxyConfig& config) {
  Json object = {{"apiVersion", "kubeproxy.config.k8s.io/v1alpha1"},
                 {"kind", "KubeProxyConfiguration"}};
  Writer writer(object);
  visit_fields(config, writer);
  return object;
}

}  // namespace weft::service
