// counters.h: sends a burst of probes and reads, before and after, what the devices along its
// walk counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "matrix/model.h"
#include "matrix/walk.h"

namespace weft::matrix {

struct Burst {
  std::string netns = {};  ///< a path: where it is sent
  IpAddress target = {};
  Protocol protocol = Protocol::kIcmp;
  std::uint32_t size = 0;  ///< of an ICMP packet; 0: a small one
  std::vector<WalkPoint> there = {};
  std::vector<WalkPoint> back = {};
  std::string name = {};  ///< the target's
};

/// last_seen() of the burst. Takes a quarter of a second.
Result<std::string> where_lost(const Burst& burst);

}  // namespace weft::matrix
