// table.h: a report for people and for programs. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/marks.h"
#include "matrix/model.h"

namespace weft::matrix {

/// One table a path class, a line a pair and address, the reasons below their line, the total.
std::string to_table(const Report& report, const LineStyle& style);

/// {"classes": [{"class", "pairs": [{"from", "to", "protocol", "ok", "rtt_us", "hops",
/// "source_seen", "reason", "target", "family", "loss", "mtu"}]}], "ok", "warnings", "failed"};
/// what is not known is null, `reason` is "" when nothing is wrong. A pair to a service has "port"
/// and "answered_by" as well: how often each endpoint answered.
Json to_json(const Report& report);

}  // namespace weft::matrix
