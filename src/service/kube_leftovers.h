// kube_leftovers.h: what kube-proxy leaves behind in a node's kernel when another proxy takes over:
// chains of iptables, tables of nftables, the device of its mode ipvs.
//
// The kubelet's own chains (KUBE-FIREWALL, KUBE-KUBELET-CANARY, KUBE-IPTABLES-HINT) stay.
//
// Source: CleanupLeftovers of k8s.io/kubernetes pkg/proxy/iptables, nftables and ipvs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::service {

/// What goes. Chains of iptables have the same names whether they are kube-proxy's or ours.
struct Leftovers {
  bool iptables = true;      ///< chains of modes iptables and ipvs, and the device of the latter
  bool userspace = true;     ///< chains of mode userspace
  bool nftables = true;      ///< kube-proxy's tables
  bool own_nftables = true;  ///< those of our own mode nftables
};
/// All that is not of the mode (ProxyMode::name()).
Leftovers leftovers_beside(std::string_view mode);

/// Whether a chain of iptables is among them.
bool is_leftover(std::string_view table, std::string_view chain, const Leftovers& which);

/// Takes them away in the calling thread's namespace. Returns what was found and removed, in words;
/// an Error for what could not be removed, after everything else was.
Result<std::vector<std::string>> remove_leftovers(const Leftovers& which);

}  // namespace weft::service
