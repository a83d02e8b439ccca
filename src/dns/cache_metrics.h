// cache_metrics.h: what caches have done, as CoreDNS's metrics.
#pragma once

#include <string>
#include <vector>

#include "dns/reply_cache.h"
#include "serve/metrics_text.h"

namespace weft::dns {

/// A cache's counts, with the labels of its block.
struct CountedCache {
  std::string server = {};  ///< "dns://:53"
  std::string zones = {};   ///< "cluster.local.,in-addr.arpa."
  ReplyCache::Counts counts = {};
};

/// coredns_cache_requests_total and its kin.
void write_cache_metrics(const std::vector<CountedCache>& caches, MetricsText& text);

}  // namespace weft::dns
