// underlay.h: builds a layout out of network namespaces, bridges and veth pairs.
//
// Nothing is ever made in the machine's own namespace: every device is born inside the lab.
// What is there already stays, so that building a layout with one more node adds that node.
#pragma once

#include <string>

#include "base/result.h"
#include "lab/layout.h"

namespace weft::lab {

Status build_layout(const std::string& lab, const Layout& layout);

/// A namespace with its loopback up, under its name in /run/netns.
Status make_namespace(const std::string& lab, const std::string& member);

/// Takes a node off its wire and removes its namespace's name.
Status remove_node_namespace(const std::string& lab, const std::string& node);

}  // namespace weft::lab
