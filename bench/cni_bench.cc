// cni_bench: weft-cni beside the Go plugins, in one run.
//
// What is asked: how long does a pod wait for its network (ADD), how long for its removal (DEL)
// and how many pods can a node start at once. Ours does more in the comparison: the chain is
// flannel -> bridge -> host-local, theirs is bridge -> host-local, since Debian ships no flannel.
//
//   cni_bench WEFT_CNI_BINARY GO_PLUGIN_DIR
//
// Everything happens in a network namespace of its own and in a temporary folder.
#include <array>
#include <set>
#include <string>
#include <vector>

#include "cni_calls.h"

namespace bench {
namespace {

constexpr int kSerial = 40;
constexpr int kRemovals = 100;  // more: how long the kernel's grace periods take varies by a third
constexpr int kRounds = 5;
constexpr int kAtOnce = 200;
constexpr int kWorkers = 8;

// One set of plugins with its configuration.
struct Plugins {
  std::string name;
  std::string folder;  // CNI_PATH
  std::string first;   // the plugin that is called
  std::string config;
};

std::string call(const Plugins& plugins, const char* verb, const Pod& pod) {
  return call(plugins.folder, plugins.first, verb, pod, plugins.config);
}

struct Serial {
  double version;  // what starting the program costs
  double add;
  double del;
};

// Both in turns, pod by pod, so that what else the machine does meets them alike. The pods are
// made before and dropped after: taking a namespace down needs the lock that an ADD needs.
std::array<Serial, 2> measure_serial(const Place& place,
                                     const std::array<const Plugins*, 2>& sides) {
  struct Times {
    std::vector<double> version, add, del;
  };
  std::array<Times, 2> times;
  std::vector<std::array<Pod, 2>> pods;
  for (int i = 0; i < kSerial; ++i)
    pods.push_back({place.make_pod(2 * i), place.make_pod(2 * i + 1)});
  Place::settle();
  const auto in_turns = [&](const char* verb, std::vector<double> Times::*kept) {
    for (const auto& pair : pods)
      for (std::size_t side = 0; side < sides.size(); ++side) {
        const auto start = Clock::now();
        call(*sides[side], verb, pair[side]);
        (times[side].*kept).push_back(milliseconds_since(start));
      }
  };
  in_turns("VERSION", &Times::version);
  in_turns("ADD", &Times::add);
  in_turns("DEL", &Times::del);
  for (const auto& pair : pods)
    for (const auto& pod : pair) Place::drop_pod(pod);
  std::array<Serial, 2> result;
  for (std::size_t side = 0; side < sides.size(); ++side)
    result[side] = {.version = median(times[side].version),
                    .add = median(times[side].add),
                    .del = median(times[side].del)};
  return result;
}

// The kernel's own part of a DEL: removing the pod's device, as it is after an ADD, with one
// netlink request and no program started. Taken in turns with whole DELs, since the time that
// the kernel waits for its grace periods drifts.
struct Removal {
  double del;
  double kernel;
};

Removal measure_removal(const Place& place, const Plugins& plugins) {
  std::vector<double> dels;
  std::vector<double> removals;
  std::vector<Pod> pods;
  for (int i = 0; i < kRemovals; ++i) pods.push_back(place.make_pod(500 + i));
  Place::settle();
  for (const auto& pod : pods) {
    call(plugins, "ADD", pod);
    auto start = Clock::now();
    call(plugins, "DEL", pod);
    dels.push_back(milliseconds_since(start));
    call(plugins, "ADD", pod);
    {
      const auto netns = must(weft::kernel::Netns::open(pod.netns));
      const auto visit = must(weft::kernel::NetnsVisit::enter(netns));
      auto links = must(weft::kernel::Rtnetlink::open());
      const auto eth0 = must(links.link("eth0")).value().index;
      start = Clock::now();
      must(links.remove(eth0));
      removals.push_back(milliseconds_since(start));
    }
    call(plugins, "DEL", pod);
  }
  for (const auto& pod : pods) Place::drop_pod(pod);
  return {.del = median(dels), .kernel = median(removals)};
}

// Pods a second, eight at a time; every address must be another one.
double measure_at_once(const Place& place, const Plugins& plugins) {
  std::vector<Pod> pods;
  for (int i = 0; i < kAtOnce; ++i) pods.push_back(place.make_pod(1000 + i));
  Place::settle();
  std::vector<std::string> results(pods.size());
  const auto start = Clock::now();
  in_parallel(pods.size(), kWorkers,
              [&](std::size_t n) { results[n] = call(plugins, "ADD", pods[n]); });
  const double seconds = milliseconds_since(start) / 1000;
  std::set<std::string> addresses;
  for (const auto& result : results)
    addresses.insert(must(weft::parse_json(result))["ips"][0]["address"].get<std::string>());
  if (addresses.size() != pods.size())
    give_up(plugins.name + ": " + std::to_string(pods.size() - addresses.size()) +
            " addresses were given twice");
  in_parallel(pods.size(), kWorkers, [&](std::size_t n) { call(plugins, "DEL", pods[n]); });
  for (const auto& pod : pods) Place::drop_pod(pod);
  return kAtOnce / seconds;
}

Plugins ours(const Place& place, const std::string& binary) {
  const std::string& folder = place.folder();
  const std::string bin = place.link_plugins(binary, {"flannel", "bridge", "host-local"});
  must(weft::write_file_atomically(folder + "/subnet.env",
                                   "FLANNEL_NETWORK=10.8.0.0/14\nFLANNEL_SUBNET=10.8.0.1/16\n"
                                   "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
                                   0644));
  return {.name = "weft-cni",
          .folder = bin,
          .first = "flannel",
          .config = R"({"cniVersion":"1.0.0","name":"ours","type":"flannel","subnetFile":")" +
                    folder + R"(/subnet.env","dataDir":")" + folder +
                    R"(/flannel","ipam":{"dataDir":")" + folder +
                    R"(/networks"},"delegate":{"bridge":"cni-ours","hairpinMode":true,)" +
                    R"("isDefaultGateway":true}})"};
}

Plugins theirs(const std::string& folder, const std::string& plugins) {
  return {.name = "Go plugins",
          .folder = plugins,
          .first = "bridge",
          .config = R"({"cniVersion":"1.0.0","name":"theirs","type":"bridge","bridge":"cni-go",)" +
                    std::string(R"("mtu":1450,"hairpinMode":true,"isDefaultGateway":true,)") +
                    R"("ipam":{"type":"host-local","dataDir":")" + folder +
                    R"(/networks","ranges":[[{"subnet":"10.12.0.0/16"}]]}})"};
}

void run(const std::string& binary, const std::string& go_plugins) {
  const Place place;
  const Plugins weft_cni = ours(place, binary);
  const Plugins go = theirs(place.folder(), go_plugins);
  measure_serial(place, {&weft_cni, &go});  // warm
  const auto [mine, peer] = measure_serial(place, {&weft_cni, &go});
  const Removal removal = measure_removal(place, weft_cni);
  // In turns, as everything else here: a moment in which the machine is busy meets both sides.
  std::vector<double> my_rates;
  std::vector<double> peer_rates;
  for (int i = 0; i < kRounds; ++i) {
    my_rates.push_back(measure_at_once(place, weft_cni));
    peer_rates.push_back(measure_at_once(place, go));
  }
  const double my_rate = median(my_rates);
  const double peer_rate = median(peer_rates);

  head_row();
  row("VERSION (starting the program), p50",
      words("%.2f ms; Go %.2f ms; %.2f x", mine.version, peer.version, mine.version / peer.version),
      "", true);
  row("ADD, flannel -> bridge -> host-local, p50",
      words("%.2f ms; Go bridge+host-local %.2f ms; %.2f x", mine.add, peer.add,
            mine.add / peer.add),
      "<= 0.25 x Go", mine.add <= 0.25 * peer.add);
  row("DEL of the same, p50",
      words("%.2f ms; the kernel's own time %.2f ms; %.2f x", removal.del, removal.kernel,
            removal.del / removal.kernel),
      "<= 1.1 x the kernel", removal.del <= 1.1 * removal.kernel);
  row("DEL, beside the Go plugins",
      words("%.2f ms; Go %.2f ms; %.2f x", mine.del, peer.del, mine.del / peer.del), "", true);
  row("200 ADDs, 8 at a time, median of 5",
      words("%.0f a second; Go %.0f a second; %.1f x", my_rate, peer_rate, my_rate / peer_rate),
      ">= 3 x Go", my_rate >= 3 * peer_rate);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 3) bench::give_up("usage: cni_bench WEFT_CNI_BINARY GO_PLUGIN_DIR");
  bench::run(argv[1], argv[2]);
}
