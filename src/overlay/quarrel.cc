#include "overlay/quarrel.h"

namespace weft::overlay {
namespace {

constexpr unsigned kRepairs = 50;
constexpr std::chrono::seconds kCalm(2);
constexpr std::chrono::seconds kRest(1);  // less than kCalm, or else resting would end it

}  // namespace

Quarrel::Verdict Quarrel::repaired(Time now) {
  if (now - last_ > kCalm) repairs_ = 0;
  last_ = now;
  ++repairs_;
  if (repairs_ < kRepairs) return Verdict::kRepair;
  return repairs_ == kRepairs ? Verdict::kOpens : Verdict::kGoesOn;
}

std::chrono::milliseconds Quarrel::rest(Verdict verdict) {
  return verdict == Verdict::kRepair ? std::chrono::milliseconds(0) : kRest;
}

}  // namespace weft::overlay
