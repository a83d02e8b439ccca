// loop_marks.h: which upstreams of a zone lead back to this server.
//
// Each upstream is asked for a name that nobody else can know (CoreDNS's plugin `loop` does so
// once, at the start, and ends the server). Where that question arrives here, the upstream that it
// was sent to leads in a circle: it is left alone for a while, and asked again then, since somebody
// may have mended it. Shared by all workers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dns/lookup_name.h"
#include "dns/name.h"

namespace weft::dns {

class LoopMarks {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `secret` is a number at random.
  LoopMarks(const Name& zone, std::size_t upstreams, std::uint64_t secret);

  /// What the upstream is asked, with the type HINFO.
  Name question(std::size_t upstream) const;
  /// Whether the name is one of ours: then its upstream loops from now on.
  bool note(const LookupName& name, Time now);

  bool is_looping(std::size_t upstream, Time now) const {
    return until_[upstream].load(std::memory_order_relaxed) > now.time_since_epoch().count();
  }

 private:
  Name base_;  // SECRET.ZONE
  std::vector<std::atomic<Time::rep>> until_;
};

}  // namespace weft::dns
