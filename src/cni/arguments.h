// arguments.h: CNI_ARGS, "K=V;K=V".
//
// Source: containernetworking/cni pkg/types/args.go: keys match with their case, every part
// holds exactly one "=", and a key that the plugin does not know is an error unless
// IgnoreUnknown says otherwise, wherever in the text it stands.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "cni/cni_error.h"

namespace weft::cni {

using Arguments = std::map<std::string, std::string, std::less<>>;

/// The arguments among `known` that are given.
CniResult<Arguments> parse_arguments(std::string_view text,
                                     std::initializer_list<std::string_view> known);

}  // namespace weft::cni
