// chain_config.h: what `weft-chain` hands to its members, and lists made of it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cni/plugin.h"

namespace weft::cni {

inline constexpr std::string_view kChainType = "weft-chain";

/// The members of a chain, or of a list of plugins (CNI SPEC.md, "plugins"). Refuses an empty
/// list, members without a type, and a chain within the chain.
CniResult<std::vector<Json>> chain_members(const Json& config);

/// "type"; empty when there is none.
std::string type_of_member(const Json& member);

/// The configuration of one member, as a runtime makes it (CNI SPEC.md, "Deriving execution
/// configuration from plugin configuration"): name and version of the network, those parts of
/// runtimeConfig that the member declares as its capabilities, the previous result, and for GC the
/// attachments. `previous` may be nullptr.
std::string member_config(const Call& call, const Json& member, const Json* previous);

/// The list with all its plugins as members of one `weft-chain`, which declares every capability
/// that one of them declares. The list itself where that saves nothing or cannot be: with fewer
/// than two plugins, or with one that `ours` does not hold.
CniResult<Json> as_chain(const Json& list, Plugins ours);

}  // namespace weft::cni
