#include "overlay/agent_voice.h"

#include <utility>

#include "cluster/subnet_env.h"

namespace weft::overlay {
namespace {

// The longest that a pass over 5,000 peers was seen to take is two seconds.
constexpr std::chrono::seconds kLongestPass{60};
constexpr std::chrono::seconds kListenAgain{5};

HealthOptions with_socket(HealthOptions health, const std::string& subnet_file) {
  health.socket = beside_subnet_file(subnet_file, "weft.sock");
  return health;
}

}  // namespace

AgentVoice::AgentVoice(Options options)
    : manager_(std::move(options.manager)),
      ready_(std::move(options.ready)),
      status_file_(options.subnet_file),
      server_(
          with_socket(std::move(options.health), options.subnet_file), report_,
          [this] { return stuck(); },
          [this] {
            // Under the lock: whoever takes the reader away waits until it is not in use.
            return counters_.with(
                [](const auto& read) { return read ? read() : std::vector<BackendCounter>(); });
          }) {
  loop_.start();
}

AgentVoice::~AgentVoice() {
  loop_.stop();
  (void)manager_.stopping();
}

void AgentVoice::set(AgentState state, const std::string& reason) {
  UnixSeconds since;
  const bool changed = report_.with([&](AgentReport& report) {
    const bool other = report.state != state || report.reason != reason;
    report.set_state(state, reason, unix_now());
    since = report.since;
    return other;
  });
  status_file_.set(state, reason, since);
  const bool first_ready = state == AgentState::kReady && !std::exchange(told_ready_, true);
  Status told;
  if (changed || first_ready)
    told = manager_.status(std::string(to_string(state)) + (reason.empty() ? "" : ": " + reason));
  if (told && first_ready) told = manager_.ready();
  if (first_ready && ready_) ready_();
  if (!told && quiet_.allows("manager")) spdlog::warn("{}", told.error().text());
}

void AgentVoice::pass_begins() {
  pass_began_.with([](auto& began) { began = Clock::now(); });
}

void AgentVoice::pass_ends() {
  pass_began_.with([](auto& began) { began.reset(); });
}

std::optional<std::string> AgentVoice::stuck() const {
  const auto began = pass_began_.copy();
  if (!began || Clock::now() - *began < kLongestPass) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - *began);
  return "a pass of the repair loop has not ended for " + std::to_string(seconds.count()) + " s";
}

// Listens where it could not before, and gives the service manager its signs of life.
Rest AgentVoice::tick() {
  std::chrono::milliseconds next = std::chrono::hours(24);
  if (const Status listening = server_.listen(); !listening) {
    next = kListenAgain;
    if (quiet_.allows("listen")) spdlog::error("health: {}", listening.error().text());
  }
  if (const auto watchdog = manager_.watchdog()) {
    if (!stuck()) (void)manager_.alive();
    next = std::min(next, std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 2));
  }
  return next;
}

}  // namespace weft::overlay
