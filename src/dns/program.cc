#include "dns/program.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "dns/corefile_loading.h"
#include "dns/handover.h"
#include "dns/http_doors.h"
#include "dns/node_local.h"
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
    if (!options_.local_addresses.empty()) {
      ASSIGN_OR_RETURN(node_local_, NodeLocal::open({.addresses = options_.local_addresses,
                                                     .port = options_.port}));
    }
    RETURN_IF_ERROR(start(std::move(loaded)));
    if (node_local_ != nullptr) RETURN_IF_ERROR(node_local_->capture());
    spdlog::info("weftd {} coredns: serving {}", WEFT_VERSION, options_.corefile);
    trim_heap();
    if (tell_ready_) herald_.start();
    while (pause(over_.get_token(), until_reload()))
      if (reload_of(loaded_.blocks)) reload();
    if (is_taken_)
      retire();
    else
      finish();
    return {};
  }

 private:
  Result<LoadedCorefile> load() const;
  // EAGAIN when it is not ready while the former site is.
  Status start(LoadedCorefile loaded);
  Status wait_for_names(const Site& site, const std::vector<BlockOptions>& blocks);
  Status open_doors(const std::vector<BlockOptions>& blocks, bool after_another);
  std::shared_ptr<const Site> site() const {
    return state_.with([](const State& state) { return state.site; });
  }
  // It ends with who has it, outside of the lock.
  std::shared_ptr<const Site> take_site() {
    return state_.with([](State& state) { return std::exchange(state.site, nullptr); });
  }
  bool has_ready_site() const;
  void let_go();
  milliseconds until_reload();
  void reload();
  void finish();
  void retire();
  Rest tell_ready();
  HttpReply readiness();
  std::string metrics() const;

  const ProgramOptions options_;
  const std::stop_token stop_;
  std::function<void()> tell_ready_;  // of the herald, once it has started
  std::stop_source over_;             // at the stop, and when another process has taken over
  const std::stop_callback<std::function<void()>> at_stop_{stop_, [this] { over_.request_stop(); }};
  std::atomic<bool> is_taken_{false};
  std::minstd_rand random_{std::random_device{}()};
  LoadedCorefile loaded_;
  std::string told_;       // of a Corefile that could not be taken
  bool may_come_ = false;  // it can be taken once it is ready
  std::unique_ptr<NodeLocal> node_local_;
  LockGuarded<State> state_;
  HttpDoors doors_{
      {.health = [] { return HttpReply{.body = "OK"}; },
       .ready = [this] { return readiness(); },
       .metrics = [this] { return HttpReply{.body = metrics(), .type = kMetricsType}; }}};
  // Their threads, as those of the doors, use what stands above.
  HandoverDoors handover_{{.sockets =
                               [this] {
                                 const auto present = site();
                                 return present == nullptr ? OpenSockets() : present->sockets();
                               },
                           .taken = [this] { let_go(); }}};
  Loop herald_{[this] { return tell_ready(); }};
};

// A block without `bind` is for everybody, or for the node where it is the node's.
Result<LoadedCorefile> Program::load() const {
  ASSIGN_OR_RETURN(LoadedCorefile loaded,
                   load_corefile(options_.corefile, options_.port, options_.environment));
  for (BlockOptions& block : loaded.blocks)
    if (block.bind.empty())
      for (const IpAddress& address : options_.local_addresses)
        block.bind.push_back(address.to_string());
  return loaded;
}

Status Program::start(LoadedCorefile loaded) {
  // What an earlier run has known is for the time in which nobody knows better.
  const bool is_first = site() == nullptr;
  ASSIGN_OR_RETURN(auto opened, Site::open(loaded.blocks,
                                           {.port = options_.port,
                                            .workers = options_.workers,
                                            .origin = {.store_folder = options_.store_folder,
                                                       .snapshot_folder = options_.snapshot_folder,
                                                       .recall = is_first,
                                                       .reader = options_.reader,
                                                       .environment = options_.environment}}));
  std::shared_ptr<Site> next = std::move(opened);
  RETURN_IF_ERROR(wait_for_names(*next, loaded.blocks));
  ASSIGN_OR_RETURN(const auto addresses, next->addresses());
  const auto former = site();
  Takeover takeover;
  if (is_first && options_.takes_over) {
    ASSIGN_OR_RETURN(takeover, Takeover::ask(addresses));
  }
  OpenSockets inherited = is_first ? std::move(takeover.sockets()) : former->sockets();
  RETURN_IF_ERROR(next->serve(inherited, is_first));
  const bool after_another = takeover.has_former();
  takeover.confirm();
  if (Status opened_doors = open_doors(loaded.blocks, after_another); !opened_doors) {
    next->leave_sockets();  // the former one goes on with them
    return opened_doors;
  }
  if (former != nullptr) former->leave_sockets();
  loaded_ = std::move(loaded);
  // The former site ends after this, outside of the lock: it may take as long as a client waits.
  state_.with([&](State& state) { state.site = std::move(next); });
  return handover_.open(addresses);
}

// One that knows all names is not given up for one that does not.
Status Program::wait_for_names(const Site& next, const std::vector<BlockOptions>& blocks) {
  const auto end = std::chrono::steady_clock::now() + startup_timeout(blocks);
  constexpr milliseconds kLook{10};
  while (!next.has_names() && std::chrono::steady_clock::now() < end)
    if (!pause(stop_, kLook)) break;
  if (!next.unready().empty() && has_ready_site())
    return Failure(
        Error{.what = next.unready().front() + " has not read everything yet", .number = EAGAIN});
  return {};
}

// Who has given its sockets away is about to close these doors, too.
Status Program::open_doors(const std::vector<BlockOptions>& blocks, bool after_another) {
  constexpr milliseconds kLook{10};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(after_another ? 5 : 0);
  for (;;) {
    Status opened = doors_.open(blocks);
    if (opened || opened.error().number != EADDRINUSE || std::chrono::steady_clock::now() >= end)
      return opened;
    if (!pause(stop_, kLook)) return opened;
  }
}

// Called by the thread that talks with the next process, which waits until this is done.
void Program::let_go() {
  (void)handover_.open({});
  if (const auto present = site()) present->leave_sockets();
  is_taken_ = true;
  over_.request_stop();
}

bool Program::has_ready_site() const {
  const auto present = site();
  return present != nullptr && present->unready().empty();
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
  if (node_local_ != nullptr && (options_.keeps_local_addresses || is_taken_)) node_local_->leave();
  if (node_local_ != nullptr) node_local_->release();
  (void)handover_.open({});
  take_site().reset();
  node_local_.reset();
}

void Program::retire() {
  spdlog::info("another process answers from now on; waiting for the end");
  if (node_local_ != nullptr) node_local_->leave();
  node_local_.reset();
  (void)doors_.open({});
  auto last = take_site();
  last->leave_sockets();
  last.reset();
  while (pause(stop_, std::chrono::hours(24))) {
  }
}

}  // namespace

Status run_program(const ProgramOptions& options, const std::stop_token& stop) {
  return Program(options, stop).run();
}

}  // namespace weft::dns
