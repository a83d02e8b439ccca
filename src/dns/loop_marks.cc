#include "dns/loop_marks.h"

#include <array>
#include <cstdio>

#include "base/text.h"

namespace weft::dns {
namespace {

constexpr std::chrono::seconds kAvoided{30};

}  // namespace

LoopMarks::LoopMarks(const Name& zone, std::size_t upstreams, std::uint64_t secret)
    : until_(upstreams) {
  std::array<char, 24> label{};
  std::snprintf(label.data(), label.size(), "%016llx", static_cast<unsigned long long>(secret));
  // The name of a zone that leaves no room for it is asked for nothing.
  base_ = zone.lowered().child(label.data()).value_or(Name());
}

Name LoopMarks::question(std::size_t upstream) const {
  return base_.child(std::to_string(upstream)).value_or(base_);
}

bool LoopMarks::note(const LookupName& name, Time now) {
  if (base_.is_root() || name.labels_above(base_.wire()) != 1) return false;
  const auto upstream = parse_number(name.label(0));
  if (!upstream || *upstream >= until_.size()) return false;
  until_[*upstream].store((now + kAvoided).time_since_epoch().count(), std::memory_order_relaxed);
  return true;
}

}  // namespace weft::dns
