// node_space.h: standing where a node's programs stand.
//
// A node's programs see the machine's files, with these of their own:
//
//     /run                 nodes/NODE/run (so /run/flannel, /run/xtables.lock)
//     /run/netns, /run/weft   the machine's
//     /var/lib/cni         nodes/NODE/cni
//     /etc/cni/net.d       nodes/NODE/net.d
//     /etc/kube-flannel    nodes/NODE/kube-flannel
//     /etc/resolv.conf     as write_resolv_conf() has it
//     /sys                 of the node's network namespace
//
// A pod has the last two.
//
// The mounts are made anew for every program in a mount namespace of its own, so that there is
// nothing to undo: only the folders last.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace weft::lab {

/// Makes the folders of a node.
Status make_node_files(const std::string& lab, const std::string& node);

/// Gives a node or a pod a resolv.conf of its own from now on; what runs already keeps what it has.
Status write_resolv_conf(const std::string& lab, const std::string& member,
                         const std::string& text);

/// Moves the calling thread into the node's namespaces, for good.
Status enter_node(const std::string& lab, const std::string& node);

/// Moves the calling thread into a network namespace of the lab, with a /sys that shows it and the
/// member's resolv.conf.
Status enter_netns(const std::string& lab, const std::string& member);

/// Calls `body` on a thread of its own that stands in the node; programs it starts do so too.
Status in_node(const std::string& lab, const std::string& node,
               const std::function<Status()>& body);
/// The same for a pod or another network namespace of the lab.
Status in_netns(const std::string& lab, const std::string& member,
                const std::function<Status()>& body);

}  // namespace weft::lab
