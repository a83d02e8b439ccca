// part.h: a program that runs beside others in one process.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace weft::node {

struct Part {
  std::string name = {};  ///< as its threads and its log lines have it
  /// Until `stop`, which is success. An Error when it cannot go on; it may be run again then. Calls
  /// `ready` once it does its work.
  std::function<Status(const std::stop_token& stop, const std::function<void()>& ready)> run = {};
};

}  // namespace weft::node
