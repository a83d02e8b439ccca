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
#include "kernel/rtnetlink.h"

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
///
/// The folder lies in memory: ext4 keeps away from inodes that were freed in the last minutes and
/// walks over all of them for each new file, so that every run would slow the next one down.
class Place {
 public:
  Place() {
    // A mount namespace as well, so that the pinned namespaces are gone with the program.
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) give_up("needs root");
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    char folder[] = "/tmp/weft-bench-XXXXXX";
    if (::mkdtemp(folder) == nullptr) give_up("mkdtemp failed");
    folder_ = folder;
    if (::mount("tmpfs", folder, "tmpfs", 0, nullptr) != 0) give_up("no tmpfs can be mounted");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    ::umount2(folder_.c_str(), MNT_DETACH);
    ::rmdir(folder_.c_str());
  }

  const std::string& folder() const { return folder_; }

  Pod make_pod(int number) const {
    Pod pod{.id = "pod" + std::to_string(number),
            .netns = folder_ + "/netns-" + std::to_string(number)};
    must(must(weft::kernel::Netns::create()).pin(pod.netns));
    return pod;
  }
  static void drop_pod(const Pod& pod) { must(weft::kernel::Netns::unpin(pod.netns)); }

  /// Returns once the kernel has taken down every namespace that was dropped before. It does so
  /// in the background, batch by batch and under the lock that an ADD needs; the first namespace
  /// made here may go with their batch, the second begins when that one is over.
  static void settle() {
    for (int i = 0; i < 2; ++i) wait_for_removal_of_one();
  }

  /// A folder of links to weft-cni, one for each plugin.
  std::string link_plugins(const std::string& binary, const std::vector<std::string>& names) const {
    const std::string bin = folder_ + "/ours";
    must(weft::make_directories(bin));
    for (const auto& name : names)
      if (::symlink(binary.c_str(), (bin + "/" + name).c_str()) != 0) give_up("symlink failed");
    return bin;
  }

 private:
  static void wait_for_removal_of_one() {
    auto links = must(weft::kernel::Rtnetlink::open());
    {
      const auto netns = must(weft::kernel::Netns::create());
      must(
          links.create({.name = "settle",
                        .kind = "veth",
                        .peer = weft::kernel::VethPeer{.name = "settle", .netns_fd = netns.fd()}}));
    }
    while (must(links.link("settle"))) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

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
