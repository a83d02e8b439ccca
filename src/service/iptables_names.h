// iptables_names.h: the chains of iptables mode: kube-proxy's names, which people and scripts know.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "service/service_plan.h"

namespace weft::service {

/// The chains that all services share.
namespace chains {
inline constexpr const char* kServices = "KUBE-SERVICES";
inline constexpr const char* kExternalServices = "KUBE-EXTERNAL-SERVICES";
inline constexpr const char* kNodePorts = "KUBE-NODEPORTS";
inline constexpr const char* kForward = "KUBE-FORWARD";
inline constexpr const char* kProxyFirewall = "KUBE-PROXY-FIREWALL";
inline constexpr const char* kPostrouting = "KUBE-POSTROUTING";
inline constexpr const char* kMarkMasquerade = "KUBE-MARK-MASQ";
/// The kubelet has it, too: it is never removed.
inline constexpr const char* kKubeletFirewall = "KUBE-FIREWALL";
/// By its disappearance kube-proxy notices that somebody has flushed everything.
inline constexpr const char* kCanary = "KUBE-PROXY-CANARY";
}  // namespace chains

/// The chains of one port of a service begin with one of these.
namespace chain_prefix {
inline constexpr std::string_view kCluster = "KUBE-SVC-";   ///< to the endpoints of policy Cluster
inline constexpr std::string_view kLocal = "KUBE-SVL-";     ///< to those of policy Local
inline constexpr std::string_view kExternal = "KUBE-EXT-";  ///< what comes from outside
inline constexpr std::string_view kFirewall = "KUBE-FW-";   ///< a load balancer's restrictions
inline constexpr std::string_view kEndpoint = "KUBE-SEP-";
inline constexpr std::string_view kOldLocal = "KUBE-XLB-";  ///< of releases before 1.24
}  // namespace chain_prefix

/// Whether it is a chain of one port of a service. They are all in table nat.
bool is_port_chain(std::string_view name);
/// Whether it is a chain of that table that the service proxy makes, and nobody else.
bool is_proxy_chain(std::string_view table, std::string_view name);

/// "shop/web:http", or "shop/web" where the port has no name.
std::string port_name(const ServiceName& service, const PortPlan& port);
/// "tcp", "udp", "sctp".
std::string_view protocol_word(ServiceProtocol protocol);
/// "10.0.0.1:80", "[fd00::1]:80".
std::string place_word(const EndpointRecord& endpoint);

/// "KUBE-SVC-NPX46M4PTMTKRN6Y": the prefix and 16 characters of a hash. `port` is a port_name().
std::string port_chain(std::string_view prefix, const std::string& port, ServiceProtocol protocol);
std::string endpoint_chain(const std::string& port, ServiceProtocol protocol,
                           const EndpointRecord& endpoint);

}  // namespace weft::service
