// service_bench: what services cost in nftables mode, in a network namespace of its own.
//
//   service_bench SERVICES ENDPOINTS    a cluster of that size: memory, cold start, restart, one
//                                       endpoint that comes or goes
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/memory.h"
#include "service/nftables_mode.h"

namespace {

using namespace weft;
using namespace weft::service;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double resident_mb() {
  trim_heap();
  long pages = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1e6;
}

void must(const Status& status, const char* what) {
  if (status) return;
  std::fprintf(stderr, "service_bench: %s: %s\n", what, status.error().text().c_str());
  std::exit(2);
}

std::string name_of(std::uint32_t number) {
  return "service-" + std::to_string(number);
}

EndpointSlice slice_of(std::uint32_t number, std::uint32_t endpoints) {
  EndpointSlice slice{.ns = "bench",
                      .name = name_of(number) + "-abcde",
                      .service = name_of(number),
                      .family = Family::kIpv4,
                      .ports = {{.name = "http", .port = 8080}}};
  for (std::uint32_t i = 0; i < endpoints; ++i)
    slice.endpoints.push_back({.addresses = {IpAddress::v4(0x0b000000U + number * 64 + i)}});
  return slice;
}

void fill(ServiceBoard& board, std::uint32_t services, std::uint32_t endpoints) {
  for (std::uint32_t i = 0; i < services; ++i) {
    board.put(Service{.name = {"bench", name_of(i)},
                      .cluster_ips = {IpAddress::v4(0x0a600000U + i)},
                      .ports = {{.name = "http", .port = 80}}});
    board.put(slice_of(i, endpoints));
  }
}

std::vector<PlannedService> changed(ServiceBoard& board) {
  return plan_services(board, board.take_changed(), {Family::kIpv4}, {});
}

// One endpoint more or less, from the store's word to the kernel's.
void measure_changes(ServiceBoard& board, NftablesMode& mode, std::uint32_t services,
                     std::uint32_t endpoints) {
  constexpr std::uint32_t kChanges = 2000;
  std::vector<double> times;
  for (std::uint32_t i = 0; i < kChanges; ++i) {
    const std::uint32_t service = i * 7919 % services;
    for (const std::uint32_t count : {endpoints + 1, endpoints}) {
      const auto start = Clock::now();
      board.put(slice_of(service, count));
      must(mode.apply(changed(board)), "a change");
      times.push_back(milliseconds_since(start) * 1000);
    }
  }
  std::sort(times.begin(), times.end());
  std::printf("one endpoint, store to kernel: p50 %.0f us, p99 %.0f us, worst %.0f us\n",
              times[times.size() / 2], times[times.size() * 99 / 100], times.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: service_bench SERVICES ENDPOINTS\n", stderr);
    return 2;
  }
  const auto services = static_cast<std::uint32_t>(std::atoi(argv[1]));
  const auto endpoints = static_cast<std::uint32_t>(std::atoi(argv[2]));
  if (::unshare(CLONE_NEWNET) != 0) {
    std::perror("service_bench: a network namespace of its own (run as root)");
    return 2;
  }
  std::printf("%u services x %u endpoints\n", services, endpoints);
  const double at_first = resident_mb();
  ServiceBoard board(NodeFacts{.name = "node"});
  fill(board, services, endpoints);
  std::printf("the board: %.1f MB (the empty program: %.1f MB)\n", resident_mb(), at_first);
  {
    auto mode = NftablesMode::open({RuleOptions{}});
    must(mode ? Status() : Failure(mode.error()), "opening nftables");
    const auto start = Clock::now();
    auto planned = changed(board);
    const double plan_time = milliseconds_since(start);
    must(mode->start(planned), "the cold start");
    std::printf("cold start: %.0f ms, %.0f of it planning\n", milliseconds_since(start), plan_time);
    planned = {};
    std::printf("resident: %.1f MB\n", resident_mb());
    measure_changes(board, *mode, services, endpoints);
    const auto check = Clock::now();
    if (const auto words = mode->repair(); !words || !words->empty())
      must(fail("the table is not what it should be"), "at the end");
    std::printf("comparing the table with the kernel's: %.0f ms\n", milliseconds_since(check));
  }
  // Everything comes from the store again.
  ServiceBoard again(NodeFacts{.name = "node"});
  fill(again, services, endpoints);
  auto mode = NftablesMode::open({RuleOptions{}});
  const auto start = Clock::now();
  must(mode->start(changed(again)), "the restart");
  std::printf("restart: %.0f ms\n", milliseconds_since(start));
  return 0;
}
