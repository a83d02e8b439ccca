#include "dns/cache_metrics.h"

namespace weft::dns {
namespace {

MetricLabels labels_of(const CountedCache& cache, const char* type = nullptr) {
  MetricLabels labels = {{"server", cache.server}, {"zones", cache.zones}, {"view", ""}};
  if (type != nullptr) labels.emplace_back("type", type);
  return labels;
}

}  // namespace

void write_cache_metrics(const std::vector<CountedCache>& caches, MetricsText& text) {
  using Counts = ReplyCache::Counts;
  const auto by_type = [&](auto Counts::*success, auto Counts::*denial) {
    for (const CountedCache& each : caches) {
      text.sample(static_cast<double>(each.counts.*success), labels_of(each, "success"));
      text.sample(static_cast<double>(each.counts.*denial), labels_of(each, "denial"));
    }
  };
  const auto total = [&](const auto& of) {
    for (const CountedCache& each : caches)
      text.sample(static_cast<double>(of(each.counts)), labels_of(each));
  };
  text.gauge("coredns_cache_entries", "Answers that are kept.");
  by_type(&Counts::entries, &Counts::denials);
  text.gauge("coredns_cache_bytes", "What they take of memory.");
  total([](const Counts& counts) { return counts.bytes; });
  text.counter("coredns_cache_requests_total", "Queries that the cache was asked for.");
  total([](const Counts& c) { return c.hits + c.denial_hits + c.stale + c.misses; });
  text.counter("coredns_cache_hits_total", "Queries that were answered out of the cache.");
  by_type(&Counts::hits, &Counts::denial_hits);
  text.counter("coredns_cache_misses_total", "Queries that the cache had no answer for.");
  total([](const Counts& counts) { return counts.misses; });
  text.counter("coredns_cache_served_stale_total", "Answers whose time was over.");
  total([](const Counts& counts) { return counts.stale; });
  text.counter("coredns_cache_prefetch_total", "Answers that were fetched before their time.");
  total([](const Counts& counts) { return counts.prefetches; });
  text.counter("coredns_cache_evictions_total", "Answers that had to make way for others.");
  total([](const Counts& counts) { return counts.evictions; });
}

}  // namespace weft::dns
