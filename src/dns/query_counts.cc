#include "dns/query_counts.h"

#include <algorithm>

namespace weft::dns {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr std::array<RecordType, QueryCounts::kTypes - 1> kNamedTypes = {
    RecordType::kA,     RecordType::kAaaa, RecordType::kMx,     RecordType::kSoa,
    RecordType::kCname, RecordType::kPtr,  RecordType::kTxt,    RecordType::kNs,
    RecordType::kSrv,   RecordType::kDs,   RecordType::kDnskey, RecordType::kRrsig,
    RecordType::kNsec,  RecordType::kIxfr, RecordType::kAxfr,   RecordType::kAny};

std::size_t place_of(RecordType type) {
  const auto found = std::find(kNamedTypes.begin(), kNamedTypes.end(), type);
  return static_cast<std::size_t>(found - kNamedTypes.begin());
}
std::string name_of(std::size_t place) {
  return place < kNamedTypes.size() ? to_string(kNamedTypes[place]) : "other";
}

double time_bound(std::size_t bucket) {
  return 0.00025 * static_cast<double>(1U << bucket);
}

// One writer: no other thread adds in between.
void add(QueryCounts::Counter& counter, std::uint64_t value) {
  counter.store(counter.load(kRelaxed) + value, kRelaxed);
}

MetricLabels labels_of(const CountedBlock& block, MetricLabels more) {
  MetricLabels labels = {{"server", block.server}, {"zone", block.zone}, {"view", ""}};
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

QueryCounts& sum_of(const CountedBlock& block, QueryCounts& sum) {
  for (const auto& counts : block.of_workers) counts->add_to(sum);
  return sum;
}

constexpr const char* kProtocols[] = {"udp", "tcp"};

void write_requests(const std::vector<CountedBlock>& blocks, MetricsText& text) {
  text.counter("coredns_dns_requests_total", "Queries, by their type.");
  for (const CountedBlock& block : blocks) {
    QueryCounts sum;
    sum_of(block, sum);
    for (std::size_t protocol = 0; protocol < 2; ++protocol)
      for (std::size_t family = 0; family < 2; ++family)
        for (std::size_t type = 0; type < QueryCounts::kTypes; ++type)
          if (const auto count = sum.requests[protocol][family][type].load(kRelaxed))
            text.sample(static_cast<double>(count),
                        labels_of(block, {{"proto", kProtocols[protocol]},
                                          {"family", family == 0 ? "1" : "2"},
                                          {"type", name_of(type)}}));
  }
}

void write_responses(const std::vector<CountedBlock>& blocks, MetricsText& text) {
  text.counter("coredns_dns_responses_total", "Answers, by their code.");
  for (const CountedBlock& block : blocks) {
    QueryCounts sum;
    sum_of(block, sum);
    for (std::size_t rcode = 0; rcode < QueryCounts::kRcodes; ++rcode)
      if (const auto count = sum.responses[rcode].load(kRelaxed))
        text.sample(
            static_cast<double>(count),
            labels_of(block, {{"rcode", to_string(static_cast<Rcode>(rcode))}, {"plugin", ""}}));
  }
}

void write_times(const std::vector<CountedBlock>& blocks, MetricsText& text) {
  text.histogram("coredns_dns_request_duration_seconds", "How long an answer took.");
  std::vector<double> bounds;
  for (std::size_t i = 0; i + 1 < QueryCounts::kTimeBuckets; ++i) bounds.push_back(time_bound(i));
  for (const CountedBlock& block : blocks) {
    QueryCounts sum;
    sum_of(block, sum);
    std::vector<std::uint64_t> counts;
    for (const auto& count : sum.times) counts.push_back(count.load(kRelaxed));
    text.sample(
        Histogram(bounds, counts, static_cast<double>(sum.nanoseconds.load(kRelaxed)) / 1e9),
        labels_of(block, {}));
  }
}

void write_sizes(const std::vector<CountedBlock>& blocks, MetricsText& text) {
  text.histogram("coredns_dns_response_size_bytes", "How large an answer was.");
  const std::vector<double> bounds(QueryCounts::kSizes.begin(), QueryCounts::kSizes.end());
  for (const CountedBlock& block : blocks) {
    QueryCounts sum;
    sum_of(block, sum);
    for (std::size_t protocol = 0; protocol < 2; ++protocol) {
      std::vector<std::uint64_t> counts;
      for (const auto& count : sum.sizes[protocol]) counts.push_back(count.load(kRelaxed));
      text.sample(
          Histogram(bounds, counts, static_cast<double>(sum.size_sum[protocol].load(kRelaxed))),
          labels_of(block, {{"proto", kProtocols[protocol]}}));
    }
  }
}

}  // namespace

void QueryCounts::count(const Answered& answered) {
  const std::size_t protocol = answered.client.over_tcp ? 1 : 0;
  const std::size_t family = answered.client.address.is_v4() ? 0 : 1;
  add(requests[protocol][family][place_of(answered.query.type)], 1);
  add(responses[std::min<std::size_t>(static_cast<std::size_t>(answered.rcode), kRcodes - 1)], 1);
  const double seconds = std::chrono::duration<double>(answered.time).count();
  std::size_t bucket = 0;
  while (bucket + 1 < kTimeBuckets && seconds > time_bound(bucket)) ++bucket;
  add(times[bucket], 1);
  add(nanoseconds,
      static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(answered.time).count()));
  std::size_t size = 0;
  while (size < kSizes.size() && answered.size > kSizes[size]) ++size;
  add(sizes[protocol][size], 1);
  add(size_sum[protocol], answered.size);
}

void QueryCounts::add_to(QueryCounts& sum) const {
  for (std::size_t protocol = 0; protocol < 2; ++protocol) {
    for (std::size_t family = 0; family < 2; ++family)
      for (std::size_t type = 0; type < kTypes; ++type)
        add(sum.requests[protocol][family][type], requests[protocol][family][type].load(kRelaxed));
    for (std::size_t size = 0; size < sizes[protocol].size(); ++size)
      add(sum.sizes[protocol][size], sizes[protocol][size].load(kRelaxed));
    add(sum.size_sum[protocol], size_sum[protocol].load(kRelaxed));
  }
  for (std::size_t i = 0; i < kRcodes; ++i) add(sum.responses[i], responses[i].load(kRelaxed));
  for (std::size_t i = 0; i < kTimeBuckets; ++i) add(sum.times[i], times[i].load(kRelaxed));
  add(sum.nanoseconds, nanoseconds.load(kRelaxed));
}

void write_query_metrics(const std::vector<CountedBlock>& blocks, MetricsText& text) {
  write_requests(blocks, text);
  write_responses(blocks, text);
  write_times(blocks, text);
  write_sizes(blocks, text);
}

}  // namespace weft::dns
