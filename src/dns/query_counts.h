// query_counts.h: how many queries a server block has answered, and how: CoreDNS's metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dns/plugin.h"
#include "serve/metrics_text.h"

namespace weft::dns {

/// Of one block and one worker, which alone writes; anybody may read.
class QueryCounts {
 public:
  /// CoreDNS's: from a quarter of a millisecond, doubling.
  static constexpr std::size_t kTimeBuckets = 17;
  static constexpr std::array<std::uint32_t, 14> kSizes = {
      0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16000, 32000, 48000, 64000};
  static constexpr std::size_t kTypes = 17;   ///< the last is every other type
  static constexpr std::size_t kRcodes = 17;  ///< up to BADVERS

  void count(const Answered& answered);
  void add_to(QueryCounts& sum) const;

  using Counter = std::atomic<std::uint64_t>;
  /// By protocol (UDP, TCP), family (IPv4, IPv6) and type.
  std::array<std::array<std::array<Counter, kTypes>, 2>, 2> requests{};
  std::array<Counter, kRcodes> responses{};
  std::array<Counter, kTimeBuckets> times{};
  std::array<std::array<Counter, kSizes.size() + 1>, 2> sizes{};  ///< of answers, by protocol
  std::array<Counter, 2> size_sum{};
  Counter nanoseconds{0};
};

/// A block's counts, as its labels say.
struct CountedBlock {
  std::string server = {};  ///< "dns://:53"
  std::string zone = {};    ///< "."
  std::vector<std::shared_ptr<QueryCounts>> of_workers = {};
};

/// coredns_dns_requests_total and its kin.
void write_query_metrics(const std::vector<CountedBlock>& blocks, MetricsText& text);

class CountingObserver : public Observer {
 public:
  explicit CountingObserver(std::shared_ptr<QueryCounts> counts) : counts_(std::move(counts)) {}
  void answered(const Answered& answered) override { counts_->count(answered); }

 private:
  std::shared_ptr<QueryCounts> counts_;
};

}  // namespace weft::dns
