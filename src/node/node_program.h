// node_program.h: the parts of a node in one process: what `weftd node` runs.
//
// Each part has a keeper (part_keeper.h). Readiness is told to the service manager when all parts
// were ready once; its watchdog gets a sign of life as long as this program's own loop turns.
#pragma once

#include <stop_token>
#include <vector>

#include "base/result.h"
#include "base/sd_notify.h"
#include "node/part.h"

namespace weft::node {

/// Until a stop: then all parts are asked to end at once, and waited for. The first Error among
/// those with which they did.
Status run_parts(std::vector<Part> parts, const ServiceManager& manager,
                 const std::stop_token& stop);

}  // namespace weft::node
