#include "base/log.h"

#include <iterator>
#include <memory>
#include <string_view>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/thread_name.h"

namespace weft {
namespace {

// The message as the inside of a JSON string, so that no message can break its line.
class JsonText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    for (const char c : std::string_view(message.payload.data(), message.payload.size())) {
      if (c == '"' || c == '\\') {
        line.push_back('\\');
        line.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        line.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonText>();
  }
};

// Who calls: the sink writes before the call is over.
class ThreadText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& /*message*/, const std::tm&,
              spdlog::memory_buf_t& line) override {
    const std::string name = thread_name();
    line.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<ThreadText>();
  }
};

std::string pattern_for(LogFormat format, LogThreads threads) {
  const bool named = threads == LogThreads::kNamed;
  if (format == LogFormat::kText)
    return std::string("%Y-%m-%dT%H:%M:%S.%e %l ") + (named ? "%&: " : "") + "%v";
  return std::string(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",)") +
         (named ? R"("part":"%&",)" : "") + R"("msg":"%*"})";
}

}  // namespace

void set_up_log(LogFormat format, spdlog::level::level_enum level, LogThreads threads) {
  auto logger =
      std::make_shared<spdlog::logger>("weft", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonText>('*').add_flag<ThreadText>('&').set_pattern(
      pattern_for(format, threads));
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

bool RateLimit::allows(const std::string& key, Clock::time_point now) {
  return seen_.with([&](auto& seen) {
    const auto [entry, first] = seen.try_emplace(key, now);
    if (first) return true;
    if (now - entry->second < pause_) return false;
    entry->second = now;
    return true;
  });
}

void RateLimit::forget(const std::string& key) {
  seen_.with([&](auto& seen) { seen.erase(key); });
}

}  // namespace weft
