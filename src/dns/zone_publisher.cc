#include "dns/zone_publisher.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/unix_time.h"

namespace weft::dns {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Changes that come closer together than this are one snapshot.
constexpr milliseconds kGathering{3};
constexpr milliseconds kIdle{60'000};
// Trouble that is over by then is nobody's business.
constexpr milliseconds kPatience{1'000};

std::uint32_t serial_now() {
  return static_cast<std::uint32_t>(unix_now().time_since_epoch().count());
}

}  // namespace

ZonePublisher::ZonePublisher(const KubernetesOptions& options, const SnapshotPlace& kept,
                             Published<ClusterZone>& zones, Reading reading)
    : zones_(zones),
      zone_options_(options.zone),
      patience_(options.startup_timeout),
      reading_(std::move(reading)),
      builder_(ZoneBuilder(options.zone)),
      recalls_(kept.recall),
      loop_([this] { return publish(); }) {
  if (!kept.folder.empty())
    file_ = std::make_unique<SnapshotFile>(kept, primary_zone(zone_options_)->name);
}

void ZonePublisher::start() {
  begun_ = Clock::now();
  if (file_ != nullptr && recalls_) recall();
  publish_snapshot(Stage::kReading);
  loop_.start();
}

void ZonePublisher::recall() {
  ZoneBuilder builder(zone_options_);
  const auto written = file_->recall(builder);
  if (!written) {
    if (written.error().number != ENOENT)
      spdlog::warn("kubernetes: the names in {} are not used: {}", file_->path(),
                   written.error().text());
    return;
  }
  builder_.with([&](ZoneBuilder& present) { present = std::move(builder); });
  recalled_ = *written;
  spdlog::info("kubernetes: names are as they were at {}, until all services are read",
               print_time(*written));
}

Rest ZonePublisher::publish() {
  const auto now = Clock::now();
  const Stage stage = stage_at(now);
  const auto names = publish_snapshot(stage);
  if (stage != stage_) enter(stage);
  const Status health = reading_.health();
  if (stage_ == Stage::kComplete && health && file_ != nullptr) file_->keep(names);
  milliseconds rest = tell_health(health, now) ? kIdle : kPatience;
  if (recalled_ && stage_ == Stage::kReading)
    rest = std::min(rest, std::chrono::ceil<milliseconds>(begun_ + patience_ - now));
  return {rest, kGathering};
}

ZonePublisher::Stage ZonePublisher::stage_at(Time now) const {
  if (reading_.is_complete()) return Stage::kComplete;
  return recalled_ && now - begun_ >= patience_ ? std::max(stage_, Stage::kRecalled) : stage_;
}

void ZonePublisher::enter(Stage stage) {
  stage_ = stage;
  complete_ = true;
  if (stage == Stage::kRecalled)
    return spdlog::warn("kubernetes: what is not among the names of {} is denied",
                        print_time(*recalled_));
  spdlog::info("kubernetes: all services are read");
  trim_heap();
}

std::shared_ptr<const ClusterZone> ZonePublisher::publish_snapshot(Stage stage) {
  std::vector<std::string> faults;
  const auto names = builder_.with([&](ZoneBuilder& builder) {
    if (stage != Stage::kReading) builder.set_complete();
    if (stage == Stage::kComplete) builder.set_stale(false);
    faults = builder.take_faults();
    return builder.zone(serial_now());
  });
  zones_.set(names);
  for (const std::string& fault : faults)
    if (told_.allows(fault)) spdlog::warn("{}", fault);
  return names;
}

bool ZonePublisher::tell_health(const Status& health, Time now) {
  if (health) {
    unwell_since_.reset();
    if (std::exchange(is_told_, false)) spdlog::info("kubernetes: names are current again");
    return true;
  }
  if (!unwell_since_) unwell_since_ = now;
  if (now - *unwell_since_ < kPatience) return false;
  is_told_ = true;
  if (told_.allows(health.error().text()))
    spdlog::warn("kubernetes: names stay as they are: {}", health.error().text());
  return true;
}

void ZonePublisher::note_unreadable(const std::string& what, const Error& error) {
  if (told_.allows(what)) spdlog::warn("{} is left out: {}", what, error.text());
}

}  // namespace weft::dns
