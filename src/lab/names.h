// names.h: what labs, nodes and pods may be called, and the names that follow from it.
//
// The names become paths, network namespaces and devices. A lab's name holds no hyphen, so that
// "weft-LAB-" is the beginning of this lab's namespaces and of no other's.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::lab {

inline constexpr const char* kDefaultLab = "lab";
inline constexpr const char* kStateRoot = "/run/weft";
inline constexpr const char* kNetnsRoot = "/run/netns";

/// The namespaces of a lab beside its nodes and pods.
inline constexpr const char* kUnderlay = "underlay";  ///< the segments' bridges
inline constexpr const char* kRouter = "router";      ///< the nodes' gateways
inline constexpr const char* kOutside = "outside";    ///< the host beyond the router

/// A lower-case letter, then up to 19 lower-case letters, digits and underscores.
Status check_lab_name(const std::string& name);
/// A DNS label of at most 15 bytes, being a device's name on the underlay, and none of ours.
Status check_node_name(const std::string& name);
/// A DNS label (RFC 1123), and none of the lab's own names.
Status check_pod_name(const std::string& name);

/// "weft-LAB-"
std::string netns_prefix(const std::string& lab);
/// "weft-LAB-MEMBER", MEMBER being a node, a pod or one of the three above.
std::string netns_name(const std::string& lab, const std::string& member);
/// "/run/netns/weft-LAB-MEMBER"
std::string netns_path(const std::string& lab, const std::string& member);
/// "/run/weft/labs/LAB"
std::string state_folder(const std::string& lab);
/// "/run/weft/labs/LAB/objects": what the nodes' programs take for the cluster's API
std::string objects_folder(const std::string& lab);
/// "/run/weft/labs/LAB/dns": the Corefiles, and resolv/MEMBER, each member's resolv.conf
std::string dns_folder(const std::string& lab);
/// "/run/weft/labs/LAB/nodes/NODE"
std::string node_folder(const std::string& lab, const std::string& node);

}  // namespace weft::lab
