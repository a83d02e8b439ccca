#include "dns/zone_publisher.h"

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

ZonePublisher::ZonePublisher(const ZoneOptions& options, Published<ClusterZone>& zones,
                             Reading reading)
    : zones_(zones),
      reading_(std::move(reading)),
      builder_(ZoneBuilder(options)),
      loop_([this] { return publish(); }) {}

void ZonePublisher::start() {
  publish_snapshot(false);
  loop_.start();
}

Rest ZonePublisher::publish() {
  const bool is_complete = reading_.is_complete();
  publish_snapshot(is_complete);
  if (is_complete && !complete_.exchange(true)) {
    spdlog::info("kubernetes: all services are read");
    trim_heap();
  }
  const bool is_told = tell_health(Clock::now());
  return {is_told ? kIdle : kPatience, kGathering};
}

void ZonePublisher::publish_snapshot(bool is_complete) {
  std::vector<std::string> faults;
  zones_.set(builder_.with([&](ZoneBuilder& builder) {
    if (is_complete) builder.set_complete();
    faults = builder.take_faults();
    return builder.zone(serial_now());
  }));
  for (const std::string& fault : faults)
    if (told_.allows(fault)) spdlog::warn("{}", fault);
}

bool ZonePublisher::tell_health(Clock::time_point now) {
  const Status health = reading_.health();
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
