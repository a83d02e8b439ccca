// cni_calls.h: calling CNI plugins as a runtime does, and timing it. Shared by the CNI benches.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "kernel/netns.h"

namespace bench {

using weft::Result;
using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "cni bench: %s\n", why.c_str());
  std::exit(2);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().text());
  return *std::move(result);
}
inline void must(const weft::Status& status) {
  if (!status) give_up(status.error().text());
}

struct Pod {
  std::string id;
  std::string netns;  // path
};

/// A network namespace for the whole bench, and a folder; both are gone with the program.
class Place {
 public:
  Place() {
    // A mount namespace as well, so that the pinned namespaces are gone with the program.
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) give_up("needs root");
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    char folder[] = "/tmp/weft-bench-XXXXXX";
    if (::mkdtemp(folder) == nullptr) give_up("mkdtemp failed");
    folder_ = folder;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { (void)weft::remove_tree(folder_); }

  const std::string& folder() const { return folder_; }

  Pod make_pod(int number) const {
    Pod pod{.id = "pod" + std::to_string(number),
            .netns = folder_ + "/netns-" + std::to_string(number)};
    must(must(weft::kernel::Netns::create()).pin(pod.netns));
    return pod;
  }
  static void drop_pod(const Pod& pod) { must(weft::kernel::Netns::unpin(pod.netns)); }

  /// A folder of links to weft-cni, one for each plugin.
  std::string link_plugins(const std::string& binary, const std::vector<std::string>& names) const {
    const std::string bin = folder_ + "/ours";
    must(weft::make_directories(bin));
    for (const auto& name : names)
      if (::symlink(binary.c_str(), (bin + "/" + name).c_str()) != 0) give_up("symlink failed");
    return bin;
  }

 private:
  std::string folder_;
};

/// One call of one plugin; what it printed.
inline std::string call(const std::string& folder, const std::string& plugin, const char* verb,
                        const Pod& pod, const std::string& config,
                        const char* path = "/usr/sbin:/usr/bin:/sbin:/bin") {
  const weft::Command command{
      .argv = {folder + "/" + plugin},
      .input = config,
      .environment = std::vector<std::string>{
          std::string("CNI_COMMAND=") + verb, "CNI_CONTAINERID=" + pod.id, "CNI_NETNS=" + pod.netns,
          "CNI_IFNAME=eth0", "CNI_PATH=" + folder, std::string("PATH=") + path}};
  const auto outcome = must(weft::run(command));
  if (outcome.exit_code != 0)
    give_up(folder + "/" + plugin + " " + verb + " " + pod.id + ": " + outcome.output +
            outcome.errors);
  return outcome.output;
}

/// Calls `work` with 0 to `count` - 1, so many at a time.
inline void in_parallel(std::size_t count, int workers,
                        const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < workers; ++i)
    threads.emplace_back([&] {
      for (std::size_t n = next++; n < count; n = next++) work(n);
    });
}

inline void head_row() {
  std::printf("%-46s %-44s %-24s %s\n", "figure", "measured", "to reach", "reached");
}
inline void row(const char* figure, const std::string& measured, const char* target, bool reached) {
  std::printf("%-46s %-44s %-24s %s\n", figure, measured.c_str(), target, reached ? "yes" : "NO");
}

inline std::string words(const char* format, double a, double b = 0, double c = 0) {
  char text[128];
  std::snprintf(text, sizeof text, format, a, b, c);
  return text;
}

}  // namespace bench
