// log_lines.h: what this program logs, while a test looks.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/sinks/ringbuffer_sink.h>

#include "base/log.h"

namespace weft::test {

/// To be made before the threads that log are started, and to outlive them.
class LogLines {
 public:
  LogLines() { sinks().push_back(kept_); }
  ~LogLines() { std::erase(sinks(), kept_); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  /// Of the last thousand.
  std::size_t count(const std::string& part) const {
    const auto lines = kept_->last_formatted();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

 private:
  static std::vector<spdlog::sink_ptr>& sinks() { return spdlog::default_logger()->sinks(); }

  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> kept_ =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1000);
};

}  // namespace weft::test
