// agent_status.h: why the node has no subnet yet, in the agent's own words.
//
// Beside subnet.env the agent keeps status.json, one line:
//   {"state":"waiting-for-lease","reason":"no free subnet","since":1700000000,"pid":42}
// with the states ready, waiting-for-lease, store-unreachable and error.
#pragma once

#include <string>

namespace weft::cni {

/// What keeps the network from being ready, as one clause for an error about `subnet_file`.
/// Never empty: an agent that left no word has not run, or not for this node.
std::string why_not_ready(const std::string& subnet_file);

}  // namespace weft::cni
