// iptables_layout.h: what iptables mode needs whichever services there are: the chains that all of
// them share, and how packets get there. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/iptables_rules.h"

namespace weft::service {

/// A rule in a built-in chain that leads to a chain of the proxy's.
struct IptablesJump {
  std::string table = {};
  std::string from = {};
  std::string to = {};
  std::string words = {};  ///< the whole rule
  bool at_end = false;     ///< it comes behind what is there, and not in front of it
  bool operator==(const IptablesJump&) const = default;
};

/// How a mode has its chains in iptables.
struct IptablesDesign {
  /// In order: each comes in front of those before it.
  std::vector<IptablesJump> jumps = {};
  /// Whether a chain of that table is the mode's, and nobody else's.
  bool (*is_own)(std::string_view table, std::string_view chain) = nullptr;
  /// Whether a chain of nat is there for a service, and goes with it.
  bool (*comes_and_goes)(std::string_view chain) = nullptr;
};

/// That of iptables mode, with jumps in kube-proxy's order.
const IptablesDesign& iptables_design();

/// The shared chains with the rules that are no service's.
IptablesContents iptables_frame(const IptablesOptions& options);

/// The rules behind those of all services in KUBE-SERVICES of table nat: what goes to the node
/// itself may be for a port of the node.
std::vector<std::string> node_port_entrances(const IptablesOptions& options);

}  // namespace weft::service
