#include "node/part_keeper.h"

#include <utility>

#include "base/loop.h"
#include "base/thread_name.h"

namespace weft::node {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What has run for so long was well.
constexpr std::chrono::seconds kLong{60};

}  // namespace

PartKeeper::PartKeeper(Part part, std::function<void()> changed)
    : part_(std::move(part)),
      changed_(std::move(changed)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PartKeeper::~PartKeeper() = default;

Status PartKeeper::ended() {
  if (thread_.joinable()) thread_.join();
  return end_;
}

void PartKeeper::run(const std::stop_token& stop) {
  set_thread_name(part_.name);
  for (unsigned failures = 0; !stop.stop_requested();) {
    const auto began = Clock::now();
    Status how = part_.run(stop, [this] { set_ready(); });
    if (stop.stop_requested()) {
      end_ = std::move(how);
      return;
    }
    failures = Clock::now() - began < kLong ? failures + 1 : 1;
    const milliseconds rest = backoff(failures, milliseconds(0));
    const std::string why = how ? "it has ended by itself" : how.error().text();
    if (told_.allows(why))
      spdlog::error("{}; starting again, the data plane stays as it is meanwhile", why);
    set_trouble(why);
    pause(stop, rest);
    set_trouble(std::nullopt);
  }
}

void PartKeeper::set_ready() {
  state_.with([](State& state) { state.was_ready = true; });
  changed_();
}

void PartKeeper::set_trouble(std::optional<std::string> trouble) {
  state_.with([&](State& state) { state.trouble = std::move(trouble); });
  changed_();
}

}  // namespace weft::node
