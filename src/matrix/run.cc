#include "matrix/run.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <tuple>

#include "kernel/netns.h"
#include "matrix/counters.h"
#include "matrix/dns_query.h"
#include "matrix/name_verdict.h"
#include "matrix/pairs.h"
#include "matrix/service_verdict.h"
#include "matrix/verdict.h"

namespace weft::matrix {
namespace {

constexpr std::size_t kMostThreads = 16;
// Of a path class. Each takes a quarter of a second, one after the other, so that counters tell
// them apart.
constexpr std::size_t kMostSearches = 4;
constexpr std::uint16_t kDnsPort = 53;
// Each question has a socket of its own, which hears nobody but the server.
constexpr std::uint16_t kQueryId = 1;

// The pairs that one place probes, by their index.
using Assignment = std::vector<std::size_t>;
// From, to, and the address that is probed.
using PairKey = std::tuple<std::size_t, std::size_t, IpAddress>;

std::vector<ProbeResult> unreachable_source(const std::string& reason) {
  return {{.protocol = Protocol::kIcmp, .sent = 1, .refusal = reason}};
}

class Run {
 public:
  Run(std::vector<Place> places, const ProbeOptions& options) : options_(options) {
    report_.places = std::move(places);
    pairs_ = plan_pairs(report_.places);
    results_.resize(pairs_.size());
  }

  Report run() {
    probe_everything();
    for (std::size_t i = 0; i < pairs_.size(); ++i)
      for (const auto& result : results_[i])
        report_.cells.push_back(
            {.pair = pairs_[i], .result = result, .verdict = judge_pair(pairs_[i], result)});
    find_places_of_loss();
    return std::move(report_);
  }

 private:
  const Place& from(const Pair& pair) const { return report_.places[pair.from]; }
  const Place& to(const Pair& pair) const { return report_.places[pair.to]; }

  const Place& node_of(const Place& place) const {
    for (const auto& other : report_.places)
      if (other.kind == PlaceKind::kNode && other.name == place.node) return other;
    return place;  // the outside host
  }

  Verdict judge_pair(const Pair& pair, const ProbeResult& result) const {
    const Place& node = node_of(from(pair));
    if (pair.asks) return judge_name(pair, to(pair), result);
    if (!pair.front) return judge(pair.path_class, from(pair), node, pair.target, result);
    std::vector<IpAddress> nodes;
    for (const auto& place : report_.places) {
      if (place.kind == PlaceKind::kNode)
        nodes.insert(nodes.end(), place.own.begin(), place.own.end());
    }
    return judge_service(from(pair), node, to(pair), nodes, result);
  }

  Target target_of(const Pair& pair) const {
    if (pair.asks)
      return {.address = pair.target,
              .protocols = {Protocol::kUdp},
              .port = kDnsPort,
              .question = dns_query(to(pair).name, *pair.asks, kQueryId)};
    if (!pair.front) {
      Target target{.address = pair.target, .protocols = {Protocol::kIcmp}};
      if (to(pair).answers)
        target.protocols.insert(target.protocols.end(), {Protocol::kTcp, Protocol::kUdp});
      return target;
    }
    const Front& front = to(pair).fronts[*pair.front];
    return {.address = pair.target,
            .protocols = {front.udp ? Protocol::kUdp : Protocol::kTcp},
            .port = front.port,
            .probes = kServiceProbes};
  }

  void probe_everything() {
    std::map<std::size_t, Assignment> assignments;
    for (std::size_t i = 0; i < pairs_.size(); ++i) assignments[pairs_[i].from].push_back(i);
    std::vector<Assignment> work;
    for (auto& [place, assignment] : assignments) work.push_back(std::move(assignment));
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(kMostThreads, work.size()); ++i)
      threads.emplace_back([&] {
        for (std::size_t k = next++; k < work.size(); k = next++) probe_from(work[k]);
      });
  }

  void probe_from(const Assignment& assignment) {
    std::vector<Target> targets;
    for (const std::size_t i : assignment) targets.push_back(target_of(pairs_[i]));
    const auto results = in_netns(from(pairs_[assignment.front()]).netns,
                                  [&] { return probe_targets(targets, options_); });
    for (std::size_t k = 0; k < assignment.size(); ++k)
      results_[assignment[k]] =
          results ? (*results)[k] : unreachable_source(results.error().text());
  }

  template <class Work>
  auto in_netns(const std::string& path, Work work) -> decltype(work()) {
    ASSIGN_OR_RETURN(const auto netns, kernel::Netns::open(path));
    ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(netns));
    return work();
  }

  // A place found for one protocol of a pair stands for the others that are lost, too.
  void find_places_of_loss() {
    std::map<PathClass, std::map<PairKey, std::string>> found;
    for (auto& cell : report_.cells) {
      const bool black_hole = cell.result.answered > 0 && cell.result.device_mtu &&
                              cell.result.mtu.value_or(0) < *cell.result.device_mtu;
      const bool lost = cell.result.answered == 0 && cell.result.refusal.empty();
      // Where a packet to a service goes is for its proxy to say; and most DNS servers are one.
      if (cell.pair.front || cell.pair.asks) continue;
      if (!lost && !black_hole) continue;
      auto& searches = found[cell.pair.path_class];
      const PairKey key{cell.pair.from, cell.pair.to, cell.pair.target};
      if (!searches.contains(key)) {
        if (searches.size() >= kMostSearches) continue;
        searches[key] = trace_burst(cell, black_hole ? *cell.result.device_mtu : 0U);
      }
      if (!searches[key].empty()) cell.verdict.reason += "; " + searches[key];
    }
  }

  std::string trace_burst(const Cell& cell, std::uint32_t size) {
    const Place& source = from(cell.pair);
    const Place& target = to(cell.pair);
    const Burst burst{.netns = source.netns,
                      .target = cell.pair.target,
                      .protocol = cell.result.protocol,
                      .size = size,
                      .there = plan_walk(source, node_of(source), target, node_of(target)),
                      .back = plan_walk(target, node_of(target), source, node_of(source)),
                      .name = target.name};
    return where_lost(burst).value_or("");
  }

  const ProbeOptions options_;
  Report report_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<ProbeResult>> results_;  // one writer an element
};

}  // namespace

Report run_matrix(std::vector<Place> places, const ProbeOptions& options) {
  return Run(std::move(places), options).run();
}

}  // namespace weft::matrix
