#include "dns/program.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "dns/corefile_loading.h"
#include "dns/http_doors.h"
#include "dns/site.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;

// What the blocks wait for at most before they are served without.
milliseconds startup_timeout(const std::vector<BlockOptions>& blocks) {
  milliseconds longest{0};
  for (const BlockOptions& block : blocks)
    if (block.kubernetes) longest = std::max(longest, block.kubernetes->startup_timeout);
  return longest;
}

milliseconds lameduck_of(const std::vector<BlockOptions>& blocks) {
  milliseconds longest{0};
  for (const BlockOptions& block : blocks)
    if (block.health) longest = std::max(longest, block.health->lameduck);
  return longest;
}

std::optional<ReloadOptions> reload_of(const std::vector<BlockOptions>& blocks) {
  for (const BlockOptions& block : blocks)
    if (block.reload && block.reload->interval.count() > 0) return block.reload;
  return std::nullopt;
}

// How the server is, for those who ask over HTTP.
struct State {
  std::shared_ptr<const Site> site = {};
  bool was_ready = false;  // once ready, always, until the end
  bool ends = false;
  std::uint64_t failed_reloads = 0;
};

class Program {
 public:
  Program(const ProgramOptions& options, const std::stop_token& stop)
      : options_(options), stop_(stop), tell_ready_(options.ready) {}

  Status run() {
    ASSIGN_OR_RETURN(LoadedCorefile loaded, load());
    RETURN_IF_ERROR(start(std::move(loaded)));
    spdlog::info("weftd {} coredns: serving {}", WEFT_VERSION, options_.corefile);
    trim_heap();
    if (tell_ready_) herald_.start();
    while (pause(stop_, until_reload()))
      if (reload_of(loaded_.blocks)) reload();
    finish();
    return {};
  }

 private:
  Result<LoadedCorefile> load() const {
    return load_corefile(options_.corefile, options_.port, options_.environment);
  }
  // EAGAIN when it is not ready while the former site is.
  Status start(LoadedCorefile loaded);
  bool has_ready_site() const;
  milliseconds until_reload();
  void reload();
  void finish();
  Rest tell_ready();
  HttpReply readiness();
  std::string metrics() const;

  const ProgramOptions options_;
  const std::stop_token stop_;
  std::function<void()> tell_ready_;  // of the herald, once it has started
  std::minstd_rand random_{std::random_device{}()};
  LoadedCorefile loaded_;
  std::string told_;       // of a Corefile that could not be taken
  bool may_come_ = false;  // it can be taken once it is ready
  LockGuarded<State> state_;
  HttpDoors doors_{
      {.health = [] { return HttpReply{.body = "OK"}; },
       .ready = [this] { return readiness(); },
       .metrics = [this] { return HttpReply{.body = metrics(), .type = kMetricsType}; }}};
  Loop herald_{[this] { return tell_ready(); }};  // their threads use what stands above
};

Status Program::start(LoadedCorefile loaded) {
  // What an earlier run has known is for the time in which nobody knows better.
  const bool is_first = state_.with([](const State& state) { return state.site == nullptr; });
  ASSIGN_OR_RETURN(auto opened, Site::open(loaded.blocks,
                                           {.port = options_.port,
                                            .workers = options_.workers,
                                            .origin = {.store_folder = options_.store_folder,
                                                       .snapshot_folder = options_.snapshot_folder,
                                                       .recall = is_first,
                                                       .reader = options_.reader,
                                                       .environment = options_.environment}}));
  std::shared_ptr<Site> site = std::move(opened);
  const auto end = std::chrono::steady_clock::now() + startup_timeout(loaded.blocks);
  constexpr milliseconds kLook{10};
  while (!site->has_names() && std::chrono::steady_clock::now() < end)
    if (!pause(stop_, kLook)) break;
  if (!site->unready().empty() && has_ready_site())
    return Failure(
        Error{.what = site->unready().front() + " has not read everything yet", .number = EAGAIN});
  RETURN_IF_ERROR(site->serve());
  RETURN_IF_ERROR(doors_.open(loaded.blocks));
  loaded_ = std::move(loaded);
  // The former site ends here, outside of the lock: it may take as long as a client waits.
  std::shared_ptr<const Site> former = std::move(site);
  state_.with([&](State& state) { state.site.swap(former); });
  return {};
}

// One that knows all names is not given up for one that does not.
bool Program::has_ready_site() const {
  return state_.with(
      [](const State& state) { return state.site != nullptr && state.site->unready().empty(); });
}

Rest Program::tell_ready() {
  constexpr milliseconds kLook{100};
  if (!has_ready_site()) return kLook;
  if (const auto ready = std::exchange(tell_ready_, nullptr)) ready();
  return milliseconds(std::chrono::hours(24));
}

HttpReply Program::readiness() {
  return state_.with([](State& state) -> HttpReply {
    if (state.ends) return {.status = 503, .body = "the server ends"};
    std::string unready;
    if (state.site == nullptr) unready = "start";
    if (state.site != nullptr && !state.was_ready)
      for (const std::string& each : state.site->unready())
        unready += (unready.empty() ? "" : ",") + each;
    if (!unready.empty()) return {.status = 503, .body = unready};
    state.was_ready = true;
    return {.body = "OK"};
  });
}

std::string Program::metrics() const {
  const State state = state_.copy();
  MetricsText text;
  text.gauge("coredns_build_info", "What answers here.")
      .sample(1, {{"version", WEFT_VERSION}, {"revision", ""}, {"goversion", ""}});
  text.counter("coredns_reload_failed_total", "Corefiles that could not be taken.")
      .sample(static_cast<double>(state.failed_reloads));
  if (state.site != nullptr) state.site->write_metrics(text);
  return text.text();
}

milliseconds Program::until_reload() {
  constexpr milliseconds kNever{std::chrono::hours(24)};
  const auto reload = reload_of(loaded_.blocks);
  if (!reload) return kNever;
  std::uniform_int_distribution<std::int64_t> spread(0, reload->jitter.count());
  return reload->interval + milliseconds(spread(random_));
}

// What makes no sense is told once, until it is something else.
void Program::reload() {
  auto loaded = load();
  if (loaded && loaded->digest == loaded_.digest) return told_.clear();
  const std::string what = loaded ? loaded->digest : loaded.error().text();
  const bool is_told = told_ == what;
  if (is_told && !may_come_) return;
  const Status started = loaded ? start(*std::move(loaded)) : Status(Failure(loaded.error()));
  if (started) {
    told_.clear();
    spdlog::info("{}: taken over", options_.corefile);
    return trim_heap();
  }
  may_come_ = started.error().number == EAGAIN;
  if (is_told) return;
  told_ = what;
  state_.with([](State& state) { ++state.failed_reloads; });
  spdlog::error("{}: not taken, the former one stays: {}", options_.corefile,
                started.error().text());
}

void Program::finish() {
  state_.with([](State& state) { state.ends = true; });
  const milliseconds lameduck = lameduck_of(loaded_.blocks);
  if (lameduck.count() > 0) {
    spdlog::info("ending in {} ms (lameduck)", lameduck.count());
    std::this_thread::sleep_for(lameduck);
  }
  std::shared_ptr<const Site> last;
  state_.with([&](State& state) { state.site.swap(last); });
}

}  // namespace

Status run_program(const ProgramOptions& options, const std::stop_token& stop) {
  return Program(options, stop).run();
}

}  // namespace weft::dns
