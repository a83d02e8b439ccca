// cni_list_bench: whole lists of plugins, ours beside the Go plugins, in one run.
//
// What is asked: what does the list that podman uses cost a pod (bridge with masquerading,
// portmap with one port, firewall, tuning), what does a node pay that starts a hundred or a
// thousand pods, and what does host-local with many addresses held. Ours run in two ways: called
// one by one, as any runtime calls them, and as one `weft-chain`.
//
//   cni_list_bench WEFT_CNI_BINARY GO_PLUGIN_DIR EMPTY_PROGRAM
//
// EMPTY_PROGRAM is static and returns at once: nothing starts sooner.
//
// Ours get a PATH that leads nowhere: a plugin that needed another program would fail.
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cni_calls.h"

namespace bench {
namespace {

using weft::Json;

constexpr int kSerial = 30;
constexpr int kStarts = 300;
constexpr int kHeld = 20'000;
constexpr const char* kNoPath = "/nonexistent";
constexpr const char* kUsualPath = "/usr/sbin:/usr/bin:/sbin:/bin";

// A list as a runtime has it: members with "type" and, behind the first, a prevResult.
struct List {
  std::string folder;  // CNI_PATH
  const char* path;
  std::string name;
  std::vector<Json> members;
};

std::string config_of(const List& list, const Json& member, const Json& previous, int port) {
  Json config = member;
  config["cniVersion"] = "1.0.0";
  config["name"] = list.name;
  if (member.contains("capabilities"))
    config["runtimeConfig"] = {
        {"portMappings",
         Json::array({{{"hostPort", port}, {"containerPort", 80}, {"protocol", "tcp"}}})}};
  if (!previous.is_null()) config["prevResult"] = previous;
  return config.dump();
}

std::string call_member(const List& list, const Json& member, const char* verb, const Pod& pod,
                        const Json& previous, int port) {
  return call(list.folder, member["type"].get<std::string>(), verb, pod,
              config_of(list, member, previous, port), list.path);
}

/// The final result.
Json add(const List& list, const Pod& pod, int port) {
  Json previous;
  for (const Json& member : list.members)
    previous = must(weft::parse_json(call_member(list, member, "ADD", pod, previous, port)));
  return previous;
}

void del(const List& list, const Pod& pod, const Json& result, int port) {
  for (auto member = list.members.rbegin(); member != list.members.rend(); ++member)
    call_member(list, *member, "DEL", pod, result, port);
}

Json bridge(const std::string& name, const std::string& subnet, const std::string& data_dir,
            bool masquerade) {
  return {{"type", "bridge"},
          {"bridge", name},
          {"isGateway", true},
          {"ipMasq", masquerade},
          {"hairpinMode", true},
          {"ipam",
           {{"type", "host-local"},
            {"dataDir", data_dir},
            {"routes", Json::array({{{"dst", "0.0.0.0/0"}}})},
            {"ranges", Json::array({Json::array({{{"subnet", subnet}}})})}}}};
}

// The list of podman with CNI, as it comes.
std::vector<Json> podman_list(const Json& first) {
  return {first,
          {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}},
          {{"type", "firewall"}, {"backend", "iptables"}},
          {{"type", "tuning"}}};
}

Json as_chain(const std::vector<Json>& members) {
  return {{"type", "weft-chain"}, {"capabilities", {{"portMappings", true}}}, {"plugins", members}};
}

struct Cost {
  double add;
  double del;
};

// All in turns, pod by pod.
template <std::size_t kLists>
std::array<Cost, kLists> measure_serial(const Place& place,
                                        const std::array<const List*, kLists>& lists, int pods) {
  std::array<std::vector<double>, kLists> adds;
  std::array<std::vector<double>, kLists> dels;
  std::vector<Pod> all;
  for (int i = 0; i < pods * static_cast<int>(kLists); ++i) all.push_back(place.make_pod(i));
  std::vector<Json> results(all.size());
  const auto port = [](std::size_t n) { return 20'000 + static_cast<int>(n); };
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto start = Clock::now();
    results[n] = add(*lists[n % kLists], all[n], port(n));
    adds[n % kLists].push_back(milliseconds_since(start));
  }
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto start = Clock::now();
    del(*lists[n % kLists], all[n], results[n], port(n));
    dels[n % kLists].push_back(milliseconds_since(start));
  }
  for (const auto& pod : all) Place::drop_pod(pod);
  std::array<Cost, kLists> costs;
  for (std::size_t i = 0; i < kLists; ++i) costs[i] = {median(adds[i]), median(dels[i])};
  return costs;
}

struct Crowd {
  double add_s;  // from the first ADD's start to the last one's end
  double del_s;
  double first_ms;  // a single ADD among the first hundred, p50
  double last_ms;   // among the last hundred
};

Crowd measure_crowd(const Place& place, const List& list, std::size_t count, int workers) {
  std::vector<Pod> pods;
  for (std::size_t i = 0; i < count; ++i) pods.push_back(place.make_pod(static_cast<int>(i)));
  std::vector<Json> results(count);
  std::vector<double> took(count);
  const auto port = [](std::size_t n) { return 20'000 + static_cast<int>(n); };
  auto start = Clock::now();
  in_parallel(count, workers, [&](std::size_t n) {
    const auto begun = Clock::now();
    results[n] = add(list, pods[n], port(n));
    took[n] = milliseconds_since(begun);
  });
  Crowd crowd{};
  crowd.add_s = milliseconds_since(start) / 1000;
  std::set<std::string> addresses;
  for (const auto& result : results)
    addresses.insert(result["ips"][0]["address"].get<std::string>());
  if (addresses.size() != count) give_up(list.name + ": an address was given twice");
  start = Clock::now();
  in_parallel(count, workers, [&](std::size_t n) { del(list, pods[n], results[n], port(n)); });
  crowd.del_s = milliseconds_since(start) / 1000;
  for (const auto& pod : pods) Place::drop_pod(pod);
  const std::ptrdiff_t some = std::min<std::ptrdiff_t>(100, static_cast<std::ptrdiff_t>(count));
  crowd.first_ms = median({took.begin(), took.begin() + some});
  crowd.last_ms = median({took.end() - some, took.end()});
  return crowd;
}

// Waits for host-local's lock as one plugin more, again and again, and keeps the longest wait.
class LockProbe {
 public:
  explicit LockProbe(std::string file)
      : file_(std::move(file)), thread_([this](const std::stop_token& stop) { run(stop); }) {}
  double longest_ms() {
    thread_.request_stop();
    thread_.join();
    return longest_ms_;
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const weft::Fd lock(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
      if (!lock.empty()) {
        const auto start = Clock::now();
        if (::flock(lock.get(), LOCK_EX) == 0)
          longest_ms_ = std::max(longest_ms_, milliseconds_since(start));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  const std::string file_;
  double longest_ms_ = 0;
  std::jthread thread_;
};

// Addresses of containers, as the Go plugin's files.
void hold_addresses(const std::string& folder) {
  must(weft::make_directories(folder));
  for (int i = 0; i < kHeld; ++i) {
    const std::string ip = "10.40." + std::to_string(i / 250) + "." + std::to_string(2 + i % 250);
    std::ofstream(folder + "/" + ip) << "held" << i << "\r\neth0";
  }
}

// An ADD of host-local alone, and its DEL, with many addresses held.
Cost measure_held(const Place& place, const std::string& folder, const char* path,
                  const std::string& name) {
  const std::string data_dir = place.folder() + "/held";
  hold_addresses(data_dir + "/" + name);
  const Json config = {{"cniVersion", "1.0.0"},
                       {"name", name},
                       {"type", "bridge"},
                       {"ipam",
                        {{"type", "host-local"},
                         {"dataDir", data_dir},
                         {"ranges", Json::array({Json::array({{{"subnet", "10.40.0.0/15"}}})})}}}};
  const Pod home = place.make_pod(9001);  // whose namespace all of them name
  std::vector<double> adds;
  std::vector<double> dels;
  for (int i = 0; i < kSerial; ++i) {
    const Pod pod{.id = "more" + std::to_string(i), .netns = home.netns};
    auto start = Clock::now();
    call(folder, "host-local", "ADD", pod, config.dump(), path);
    adds.push_back(milliseconds_since(start));
    start = Clock::now();
    call(folder, "host-local", "DEL", pod, config.dump(), path);
    dels.push_back(milliseconds_since(start));
  }
  Place::drop_pod(home);
  return {median(adds), median(dels)};
}

// The most memory that one call has at once, in kilobytes.
long peak_memory_kb(const List& list, const Pod& pod) {
  const std::string config = config_of(list, list.members[0], Json(), 30'000);
  const std::string program = list.folder + "/" + list.members[0]["type"].get<std::string>();
  int input[2];
  if (::pipe(input) != 0) give_up("pipe failed");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::close(input[0]);
    ::close(input[1]);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::setenv("CNI_COMMAND", "ADD", 1);
    ::setenv("CNI_CONTAINERID", pod.id.c_str(), 1);
    ::setenv("CNI_NETNS", pod.netns.c_str(), 1);
    ::setenv("CNI_IFNAME", "eth0", 1);
    ::setenv("CNI_PATH", list.folder.c_str(), 1);
    ::setenv("PATH", kNoPath, 1);
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  if (::write(input[1], config.data(), config.size()) < 0) give_up("writing to a plugin failed");
  ::close(input[1]);
  int status = 0;
  rusage used{};
  if (::wait4(child, &status, 0, &used) != child || status != 0) give_up(program + " failed");
  return used.ru_maxrss;
}

// From the start of a program to its end, which VERSION is all about.
double start_ms(const std::string& program) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  std::string name = program;
  std::string verb = "CNI_COMMAND=VERSION";
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::array<char*, 2> environment{verb.data(), nullptr};
  const auto start = Clock::now();
  pid_t child = 0;
  int status = 0;
  if (::posix_spawn(&child, program.c_str(), &files, nullptr, arguments.data(),
                    environment.data()) != 0 ||
      ::waitpid(child, &status, 0) != child || status != 0)
    give_up(program + " VERSION failed");
  const double took = milliseconds_since(start);
  ::posix_spawn_file_actions_destroy(&files);
  return took;
}

double megabytes(const std::string& path) {
  return static_cast<double>(std::filesystem::file_size(path)) / 1e6;
}

// As it is installed.
double stripped_megabytes(const Place& place, const std::string& binary) {
  const std::string stripped = place.folder() + "/stripped";
  must(weft::run_or_fail({.argv = {"strip", "-o", stripped, binary}}));
  return megabytes(stripped);
}

double folder_megabytes(const std::string& folder) {
  double sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    sum += megabytes(entry.path());
  return sum;
}

void simple_rows(const Place& place, const List& mine, const List& peer, const std::string& binary,
                 const std::string& go_plugins, const std::string& empty_program) {
  const std::array<std::string, 3> programs{mine.folder + "/bridge", peer.folder + "/bridge",
                                            empty_program};
  std::array<std::vector<double>, 3> started;
  for (int i = 0; i < kStarts; ++i)
    for (std::size_t n = 0; n < programs.size(); ++n) started[n].push_back(start_ms(programs[n]));
  const double version = median(started[0]);
  row("VERSION (starting the program), p50",
      words("%.2f ms; Go %.2f ms; an empty program %.2f ms", version, median(started[1]),
            median(started[2])),
      "<= 0.9 ms", version <= 0.9);
  const Pod pod = place.make_pod(9000);
  const long peak = peak_memory_kb(mine, pod);
  row("peak memory of one ADD (bridge, host-local)",
      words("%.1f MB", static_cast<double>(peak) / 1000), "<= 4 MB", peak <= 4000);
  Place::drop_pod(pod);
  const double size = stripped_megabytes(place, binary);
  row("size of all plugins", words("%.2f MB; Go %.0f MB", size, folder_megabytes(go_plugins)),
      "<= 1.5 MB", size <= 1.5);
}

void serial_rows(const Place& place, const List& mine, const List& peer, const List& chain) {
  const List short_mine{mine.folder, mine.path, "short", {mine.members[0]}};
  List short_peer{peer.folder, peer.path, "short-go", {peer.members[0]}};
  std::array<List, 2> plain{short_mine, short_peer};
  for (auto& list : plain) list.members[0]["ipMasq"] = false;
  const auto bridges = measure_serial<2>(place, {&plain[0], &plain[1]}, kSerial);
  row("ADD, bridge + host-local, p50",
      words("%.2f ms; Go %.2f ms; %.2f x", bridges[0].add, bridges[1].add,
            bridges[0].add / bridges[1].add),
      "<= 2.2 ms", bridges[0].add <= 2.2);
  const auto lists = measure_serial<3>(place, {&mine, &chain, &peer}, kSerial);
  const auto compare = [&](const char* figure, double Cost::*part, std::size_t side, double most,
                           const char* target) {
    row(figure,
        words("%.2f ms; Go %.1f ms; %.3f x", lists[side].*part, lists[2].*part,
              lists[side].*part / (lists[2].*part)),
        target, lists[side].*part <= most * (lists[2].*part));
  };
  compare("ADD, podman's list, p50", &Cost::add, 0, 0.08, "<= 0.08 x Go");
  compare("ADD, the same as one weft-chain", &Cost::add, 1, 0.08, "<= 0.08 x Go");
  compare("DEL, podman's list, p50", &Cost::del, 0, 0.2, "<= 0.2 x Go");
  compare("DEL, the same as one weft-chain", &Cost::del, 1, 0.2, "<= 0.2 x Go");
}

void crowd_rows(const Place& place, const List& mine, const List& peer, const List& chain) {
  const Crowd theirs = measure_crowd(place, peer, 100, 8);
  for (const List* list : {&mine, &chain}) {
    const Crowd ours = measure_crowd(place, *list, 100, 8);
    const bool is_chain = list == &chain;
    row(is_chain ? "100 pods, 8 at a time, as one weft-chain: ADD" : "100 pods, 8 at a time: ADD",
        words("%.2f s; Go %.2f s; %.3f x", ours.add_s, theirs.add_s, ours.add_s / theirs.add_s),
        "<= 0.05 x Go", ours.add_s <= 0.05 * theirs.add_s);
    row(is_chain ? "                      as one weft-chain: DEL" : "                       DEL",
        words("%.2f s; Go %.2f s; %.3f x", ours.del_s, theirs.del_s, ours.del_s / theirs.del_s),
        "<= 0.05 x Go", ours.del_s <= 0.05 * theirs.del_s);
  }
  List thousand = mine;
  thousand.name = "thousand";
  thousand.members = {bridge("cni-many", "10.44.0.0/16", place.folder() + "/networks", false)};
  LockProbe probe(place.folder() + "/networks/thousand/lock");
  const Crowd many = measure_crowd(place, thousand, 1000, 16);
  const double longest = probe.longest_ms();
  row("1,000 pods, 16 at a time: one ADD, p50",
      words("first 100: %.1f ms; last 100: %.1f ms", many.first_ms, many.last_ms),
      "flat (<= 1.2 x)", many.last_ms <= 1.2 * many.first_ms);
  row("  the longest wait for host-local's lock", words("%.1f ms", longest), "<= 50 ms",
      longest <= 50);
}

void run(const std::string& binary, const std::string& go_plugins,
         const std::string& empty_program) {
  const Place place;
  const std::string networks = place.folder() + "/networks";
  const std::string folder = place.link_plugins(
      binary, {"bridge", "host-local", "portmap", "firewall", "tuning", "weft-chain"});
  const List mine{folder, kNoPath, "mine",
                  podman_list(bridge("cni-mine", "10.20.0.0/16", networks, true))};
  const List peer{go_plugins, kUsualPath, "peer",
                  podman_list(bridge("cni-go", "10.24.0.0/16", networks, true))};
  const List chain{folder,
                   kNoPath,
                   "chain",
                   {as_chain(podman_list(bridge("cni-chain", "10.28.0.0/16", networks, true)))}};

  head_row();
  simple_rows(place, mine, peer, binary, go_plugins, empty_program);
  serial_rows(place, mine, peer, chain);
  const Cost held = measure_held(place, folder, kNoPath, "held");
  const Cost go_held = measure_held(place, go_plugins, kUsualPath, "held-go");
  row("host-local ADD with 20,000 addresses held, p50",
      words("%.2f ms; Go %.1f ms", held.add, go_held.add), "<= 5 ms", held.add <= 5);
  row("host-local DEL of the same", words("%.2f ms; Go %.1f ms", held.del, go_held.del), "", true);
  crowd_rows(place, mine, peer, chain);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 4)
    bench::give_up("usage: cni_list_bench WEFT_CNI_BINARY GO_PLUGIN_DIR EMPTY_PROGRAM");
  bench::run(argv[1], argv[2], argv[3]);
}
