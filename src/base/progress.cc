#include "base/progress.h"

#include <chrono>

namespace weft {
namespace {

std::string seconds_since(std::chrono::steady_clock::time_point start) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", took.count());
  return text;
}

}  // namespace

void Progress::line(Mark mark, const std::string& text) {
  const std::lock_guard lock(mutex_);
  std::fprintf(out_, "%s %s\n", style_.mark(mark).c_str(), text.c_str());
  std::fflush(out_);
}

Status Progress::step(const std::string& what, const std::function<Result<std::string>()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const auto detail = work();
  if (!detail) {
    line(Mark::kWrong, what + ": " + detail.error().what);
    return because(what, detail.error());
  }
  line(Mark::kFine,
       what + (detail->empty() ? "" : ": " + *detail) + " (" + seconds_since(start) + ")");
  return {};
}

}  // namespace weft
