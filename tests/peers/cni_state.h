// cni_state.h: everything that a CNI plugin could have changed, as text that can be compared.
#pragma once

#include <map>
#include <string>

#include "support/cni_container.h"

namespace weft::test {

/// Links, addresses, routes, ports, sysctls, nftables and the files below `data_dir`, of the
/// calling thread's namespace and of the container. What is random or counts time (names of
/// veths, MAC addresses, numbers) is replaced by words; the order of dumps is kept.
std::map<std::string, std::string> observe(const Container& container, const std::string& bridge,
                                           const std::string& data_dir);

/// A result with its random parts replaced in the same way.
std::string normalised(const std::string& text);

}  // namespace weft::test
