#include "service/service_proxy.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/memory.h"

namespace weft::service {

using std::chrono::milliseconds;

namespace {

// Nothing is polled; the rest only bounds what a lost nudge could cost.
constexpr milliseconds kAtRest = std::chrono::hours(1);
// Another proxy that takes these tables for its own undoes each repair at once.
constexpr milliseconds kAfterRepair{200};
// A table that has to be made anew takes a hundred.
constexpr std::size_t kEditsTold = 5;

void add_news(BoardNews& sum, BoardNews more) {
  sum.services += more.services;
  sum.slices += more.slices;
  std::move(more.triggers.begin(), more.triggers.end(), std::back_inserter(sum.triggers));
}

}  // namespace

ProxyWatcher& no_watcher() {
  class Nobody : public ProxyWatcher {
    void passed(const PassReport& /*report*/) override {}
  };
  static Nobody nobody;
  return nobody;
}

Result<std::unique_ptr<ServiceProxy>> ServiceProxy::start(ServiceFeed& feed,
                                                          std::unique_ptr<ProxyMode> mode,
                                                          const ServiceProxyOptions& options,
                                                          ProxyWatcher& watcher) {
  std::unique_ptr<ServiceProxy> proxy(new ServiceProxy(feed, std::move(mode), options, watcher));
  RETURN_IF_ERROR(proxy->watch_others());
  proxy->loop_.start();
  return proxy;
}

Status ServiceProxy::watch_others() {
  const auto doubt = [this] {
    in_doubt_ = true;
    nudge();
  };
  const bool legacy = mode_->needs_legacy_watch();
  if (legacy) {
    ASSIGN_OR_RETURN(legacy_watch_,
                     kernel::LegacyWatch::start(kernel::LegacyWatch::kLockFile, doubt));
  }
  ASSIGN_OR_RETURN(const std::uint32_t port, mode_->port());
  const auto told = [this, doubt](const kernel::KernelEvent& event) {
    if (event.topic == kernel::Topic::kLost || mode_->is_concerned(event)) doubt();
  };
  auto monitor = kernel::Monitor::start({kernel::Topic::kNftables}, told, 0, port);
  // The other family may be of the nft variant, or the kernel have no nf_tables at all.
  if (!monitor && !legacy) return Failure(monitor.error());
  if (monitor) monitor_ = *std::move(monitor);
  return {};
}

ServiceProxy::ServiceProxy(ServiceFeed& feed, std::unique_ptr<ProxyMode> mode,
                           const ServiceProxyOptions& options, ProxyWatcher& watcher)
    : feed_(feed),
      shortest_rest_(options.shortest_rest),
      watcher_(watcher),
      settings_(options.settings),
      mode_(std::move(mode)),
      loop_([this] { return pass(); }) {
  for (const auto& family : settings_.families) families_.push_back(family.family);
}

void ServiceProxy::set(ProxySettings settings) {
  new_settings_.with([&](auto& waiting) { waiting = std::move(settings); });
  nudge();
}

Rest ServiceProxy::pass() {
  if (!feed_.complete()) return kAtRest;
  const bool mends = in_doubt_;
  PassReport report{.began = PassReport::Clock::now()};
  const Status done = settle(report);
  report.ended = PassReport::Clock::now();
  report.at = std::chrono::system_clock::now();
  report.outcome = done;
  failures_ = done ? 0 : failures_ + 1;
  if (health_.set(done) && !done) spdlog::error("{}", done.error().text());
  if (done) feed_.note_written();
  watcher_.passed(report);
  if (report.full) {
    report.services = {};
    trim_heap();
  }
  if (!done) return backoff(failures_, kAtRest);
  return {kAtRest, mends ? std::max(kAfterRepair, shortest_rest_) : shortest_rest_};
}

Status ServiceProxy::settle(PassReport& report) {
  take_settings(report);
  if (!ready_) return start_mode(report);
  write_changes(feed_.take_changed(families_, settings_.plan), report);
  return in_doubt_ ? repair(report) : Status();
}

// What was taken is in the plan from then on: only the kernel may lack it.
void ServiceProxy::write_changes(TakenServices taken, PassReport& report) {
  add_news(report.news, std::move(taken.news));
  if (taken.services.empty()) return;
  note_refusal(mode_->apply(taken.services), report);
  std::move(taken.services.begin(), taken.services.end(), std::back_inserter(report.services));
}

void ServiceProxy::note_refusal(const Status& written, PassReport& report) {
  if (written) return;
  spdlog::warn("{}; reading what is there", written.error().text());
  ++report.failures;
  in_doubt_ = true;
}

void ServiceProxy::take_settings(PassReport& report) {
  auto settings = new_settings_.with([](auto& waiting) { return std::exchange(waiting, {}); });
  if (!settings || *settings == settings_) return;
  const bool plans_differ = !(settings->plan == settings_.plan);
  const bool rules_differ = settings->families != settings_.families;
  settings_ = *std::move(settings);
  if (rules_differ) note_refusal(mode_->set_options(settings_.families), report);
  if (ready_ && plans_differ) write_changes(feed_.take_all(families_, settings_.plan), report);
}

Status ServiceProxy::start_mode(PassReport& report) {
  in_doubt_ = false;
  report.full = true;
  TakenServices taken = feed_.take_all(families_, settings_.plan);
  report.services = std::move(taken.services);
  add_news(report.news, std::move(taken.news));
  if (Status started = mode_->start(report.services); !started) {
    ++report.failures;
    return started;
  }
  ready_ = true;
  spdlog::info("services: {} in {}", report.services.size(), mode_->name());
  return {};
}

// Told while it goes on, it is done again.
Status ServiceProxy::repair(PassReport& report) {
  in_doubt_ = false;
  report.full = true;
  auto words = mode_->repair();
  if (!words) {
    in_doubt_ = true;
    ++report.failures;
    return Failure(words.error());
  }
  for (std::size_t i = 0; i < std::min(words->size(), kEditsTold); ++i)
    spdlog::info("{}", (*words)[i]);
  if (words->size() > kEditsTold) spdlog::info("and {} more edits", words->size() - kEditsTold);
  return {};
}

}  // namespace weft::service
