// backend_counter.h: what a backend counts, for /metrics.
#pragma once

#include <cstdint>
#include <string>

#include "serve/metrics_text.h"

namespace weft::overlay {

/// Such as the udp tunnel's "datagrams", {{"direction", "sent"}}.
struct BackendCounter {
  std::string name;
  MetricLabels labels;
  std::uint64_t value = 0;
};

}  // namespace weft::overlay
