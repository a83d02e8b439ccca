// resolv_conf.h: the resolv.conf of a pod, worked out as the kubelet does.
//
// Pure: what the node's file says, what the cluster offers and what the pod asks for go in;
// servers, search domains and options come out, each with the reason why it is there, and what had
// to be left out. Where the kubelet is known to hand out what cannot work (a loopback server of the
// node inside of a pod, the search domain "."), the answer differs, and says so.
//
// Source: k8s.io/kubernetes/pkg/kubelet/network/dns; man 5 resolv.conf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace weft {

/// The parts of a resolv.conf that the kubelet knows.
struct ResolvConf {
  std::vector<std::string> servers = {};
  std::vector<std::string> searches = {};
  std::vector<std::string> options = {};  ///< "ndots:5", "edns0"
  bool operator==(const ResolvConf&) const = default;
};

/// Reads a node's file. Of `search` and `options` the last line counts; `domain`, `sortlist` and
/// comments are passed over. Refuses a `nameserver` without an address.
Result<ResolvConf> parse_resolv_conf(std::string_view text);

enum class DnsPolicy : std::uint8_t { kClusterFirst, kClusterFirstWithHostNet, kDefault, kNone };
/// The API's words.
std::string_view to_string(DnsPolicy policy);
/// Nothing for other words, which the kubelet takes for ClusterFirst.
std::optional<DnsPolicy> parse_dns_policy(std::string_view text);

struct DnsOption {
  std::string name = {};
  std::optional<std::string> value = {};
  bool operator==(const DnsOption&) const = default;
};

struct PodDns {
  std::string ns = {};
  DnsPolicy policy = DnsPolicy::kClusterFirst;
  bool host_network = false;
  // dnsConfig.
  std::vector<std::string> servers = {};
  std::vector<std::string> searches = {};
  std::vector<DnsOption> options = {};
  bool operator==(const PodDns&) const = default;
};

struct NodeDns {
  std::vector<IpAddress> cluster_dns = {};
  std::string cluster_domain = {};  ///< without a final dot; may be empty
  /// The node's file; nothing where the kubelet was given none (--resolv-conf="").
  std::optional<ResolvConf> host = {};
  /// Asked instead of a loopback server of the node, which a pod cannot reach; nothing: such
  /// servers are left out.
  std::optional<IpAddress> host_view = {};
  std::vector<Family> families = {};  ///< of the node's addresses
};

/// One line of the file, or a part of one, and why it is there.
struct ResolvConfLine {
  std::string text = {};  ///< "nameserver 10.96.0.10", "search shop.svc.cluster.local"
  std::string reason = {};
  bool operator==(const ResolvConfLine&) const = default;
};

struct PodResolvConf {
  ResolvConf file = {};
  std::vector<ResolvConfLine> lines = {};
  /// What was left out or changed, each as a sentence for an event.
  std::vector<std::string> warnings = {};
};

PodResolvConf resolv_conf_of(const PodDns& pod, const NodeDns& node);

/// The file's text.
std::string print_resolv_conf(const ResolvConf& file);

}  // namespace weft
