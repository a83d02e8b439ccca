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

}  // namespace

Result<std::unique_ptr<ServiceProxy>> ServiceProxy::start(ServiceFeed& feed,
                                                          ServiceProxyOptions options) {
  ASSIGN_OR_RETURN(NftablesMode mode, NftablesMode::open(options.families));
  ASSIGN_OR_RETURN(const std::uint32_t port, mode.port());
  std::unique_ptr<ServiceProxy> proxy(new ServiceProxy(feed, std::move(options), std::move(mode)));
  ServiceProxy* self = proxy.get();
  const auto told = [self](const kernel::KernelEvent& event) {
    if (event.topic != kernel::Topic::kLost && !NftablesMode::is_own_table(event.name)) return;
    self->in_doubt_ = true;
    self->nudge();
  };
  ASSIGN_OR_RETURN(proxy->monitor_,
                   kernel::Monitor::start({kernel::Topic::kNftables}, told, 0, port));
  proxy->loop_.start();
  return proxy;
}

ServiceProxy::ServiceProxy(ServiceFeed& feed, ServiceProxyOptions options, NftablesMode mode)
    : feed_(feed),
      options_(std::move(options)),
      mode_(std::move(mode)),
      loop_([this] { return pass(); }) {
  for (const auto& family : options_.families) families_.push_back(family.family);
}

Rest ServiceProxy::pass() {
  if (!feed_.complete()) return kAtRest;
  const bool mends = in_doubt_;
  const Status done = settle();
  failures_ = done ? 0 : failures_ + 1;
  if (health_.set(done) && !done) spdlog::error("{}", done.error().text());
  if (!done) return backoff(failures_, kAtRest);
  return {kAtRest, mends ? std::max(kAfterRepair, options_.shortest_rest) : options_.shortest_rest};
}

Status ServiceProxy::settle() {
  if (!ready_) return start_tables();
  const auto changed = feed_.take_changed(families_, options_.plan);
  if (!changed.empty()) {
    // What was taken is in the plan now: only the table may lack it.
    if (const Status written = mode_.apply(changed); !written) {
      spdlog::warn("{}; reading the tables", written.error().text());
      in_doubt_ = true;
    }
  }
  return in_doubt_ ? repair() : Status();
}

Status ServiceProxy::start_tables() {
  in_doubt_ = false;
  const auto all = feed_.take_all(families_, options_.plan);
  RETURN_IF_ERROR(mode_.start(all));
  ready_ = true;
  trim_heap();
  spdlog::info("services: {} in nftables", all.size());
  return {};
}

// Told while it goes on, it is done again.
Status ServiceProxy::repair() {
  in_doubt_ = false;
  auto words = mode_.repair();
  if (!words) {
    in_doubt_ = true;
    return Failure(words.error());
  }
  for (std::size_t i = 0; i < std::min(words->size(), kEditsTold); ++i)
    spdlog::info("{}", (*words)[i]);
  if (words->size() > kEditsTold) spdlog::info("and {} more edits", words->size() - kEditsTold);
  return {};
}

}  // namespace weft::service
