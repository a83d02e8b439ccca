#include "node/node_program.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/loop.h"
#include "node/part_keeper.h"

namespace weft::node {
namespace {

using std::chrono::milliseconds;
using Keepers = std::vector<std::unique_ptr<PartKeeper>>;

// "flanneld: ready; coredns: starting"
std::string describe(const Keepers& keepers) {
  std::string text;
  for (const auto& keeper : keepers) {
    const auto state = keeper->state();
    text += (text.empty() ? "" : "; ") + keeper->name() + ": ";
    text += state.trouble ? *state.trouble : state.was_ready ? "ready" : "starting";
  }
  return text;
}

// What a service manager hears of all of them.
class Narrator {
 public:
  Narrator(const Keepers& keepers, const ServiceManager& manager)
      : keepers_(keepers), manager_(manager) {}
  void start() { loop_.start(); }
  void nudge() { loop_.nudge(); }

 private:
  Rest tell();

  const Keepers& keepers_;
  const ServiceManager& manager_;
  // Of the loop:
  std::string told_;
  bool is_ready_ = false;
  Loop loop_{[this] { return tell(); }};  // last: it uses the rest
};

Rest Narrator::tell() {
  Status told;
  if (const std::string now = describe(keepers_); now != told_) told = manager_.status(told_ = now);
  const bool are_ready = std::all_of(keepers_.begin(), keepers_.end(),
                                     [](const auto& keeper) { return keeper->state().was_ready; });
  if (are_ready && !std::exchange(is_ready_, true)) {
    spdlog::info("all parts are ready");
    if (told) told = manager_.ready();
  }
  if (!told) spdlog::warn("{}", told.error().text());
  const auto watchdog = manager_.watchdog();
  if (!watchdog) return milliseconds(std::chrono::hours(24));
  (void)manager_.alive();
  return std::chrono::duration_cast<milliseconds>(*watchdog / 2);
}

}  // namespace

Status run_parts(std::vector<Part> parts, const ServiceManager& manager,
                 const std::stop_token& stop) {
  Keepers keepers;
  Narrator narrator(keepers, manager);
  for (Part& part : parts)
    keepers.push_back(
        std::make_unique<PartKeeper>(std::move(part), [&narrator] { narrator.nudge(); }));
  narrator.start();
  while (pause(stop, std::chrono::hours(24))) {
  }
  (void)manager.stopping();
  for (const auto& keeper : keepers) keeper->stop();
  Status all;
  for (const auto& keeper : keepers) {
    Status ended = keeper->ended();
    if (!ended && all) all = because(keeper->name(), ended.error());
  }
  return all;
}

}  // namespace weft::node
