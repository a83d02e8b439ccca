// portal_rules.h: the rules of userspace mode: what is sent to a service goes to the node itself,
// to the port at which the relay takes clients in for it. Pure.
//
// What pods and others send is redirected to the address of the link that it comes in on, so that
// answers leave by that link; what the node itself sends goes to the node's own address, as it
// always has. Where the node has none it is redirected, too, to a loopback address: the relay
// answers from the address that it was asked at, so that works as well.
//
// Source: k8s.io/kubernetes pkg/proxy/userspace/proxier.go (1.25); chains, rules and comments are
// its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/iptables_update.h"

namespace weft::service {

namespace chains {
inline constexpr const char* kPortalsContainer = "KUBE-PORTALS-CONTAINER";
inline constexpr const char* kPortalsHost = "KUBE-PORTALS-HOST";
inline constexpr const char* kNodePortContainer = "KUBE-NODEPORT-CONTAINER";
inline constexpr const char* kNodePortHost = "KUBE-NODEPORT-HOST";
/// A node that lets nobody in by default lets clients of node ports in.
inline constexpr const char* kNodePortNonLocal = "KUBE-NODEPORT-NON-LOCAL";
}  // namespace chains

const IptablesDesign& portal_design();

/// A port of a service, and where the relay takes its clients in.
struct Portal {
  std::string name = {};  ///< port_name()
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::vector<Front> fronts = {};
  std::uint16_t relay_port = 0;
};

/// `node_address` is one of the node that is no loopback address, if it has any.
IptablesContents portal_rules(const std::vector<Portal>& portals,
                              const std::optional<IpAddress>& node_address);

}  // namespace weft::service
