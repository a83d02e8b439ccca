#include "overlay/lease_keeper.h"

#include <cerrno>
#include <utility>

#include "base/loop.h"

namespace weft::overlay {

void LeaseKeeper::hold(Lease lease) {
  const auto before = this->lease();
  if (before && before->key != lease.key)
    spdlog::error(
        "lease {}: lost, {} is in its place; pods that run here have addresses that are no "
        "longer this node's: restart them",
        before->key.describe(), lease.key.describe());
  lease_.with([&](auto& held) { held = std::make_shared<const Lease>(std::move(lease)); });
  hooks_.changed();
}

std::chrono::milliseconds LeaseKeeper::settle(const Status& status, const std::string& tried,
                                              std::chrono::milliseconds at_rest) {
  const bool other = health_.set(status);
  failures_ = status ? 0 : failures_ + 1;
  // A call that our own stop has ended is no trouble.
  if (!status && status.error().number != ECANCELED && quiet_.allows(status.error().what))
    spdlog::warn("{}: {}", tried, status.error().text());
  if (other) hooks_.changed();
  return backoff(failures_, at_rest);
}

}  // namespace weft::overlay
