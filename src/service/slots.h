// slots.h: endpoints in numbered slots, out of which a random number chooses. Pure.
//
// Each slot is an element in the kernel: where one endpoint comes or goes, no other must move.
#pragma once

#include <cstdint>
#include <vector>

#include "service/endpoint_record.h"

namespace weft::service {

/// `wanted` in an order that is as near to `former` as can be: what stays keeps its slot, unless
/// that lies beyond the new end; what is new, or has to move, fills the free ones in order.
std::vector<EndpointRecord> arrange(const std::vector<EndpointRecord>& former,
                                    std::vector<EndpointRecord> wanted);

/// A number for each of `now`: that of the same place in `former`, of which `numbers` are the
/// numbers; for the others the lowest that are not in use.
std::vector<std::uint32_t> number_places(const std::vector<EndpointRecord>& former,
                                         const std::vector<std::uint32_t>& numbers,
                                         const std::vector<EndpointRecord>& now);

}  // namespace weft::service
