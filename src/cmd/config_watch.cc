#include "cmd/config_watch.h"

#include <utility>

#include "base/files.h"
#include "base/log.h"

namespace weft::cmd {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

ConfigWatch::ConfigWatch(std::string path, std::string contents, std::function<void()> changed)
    : path_(std::move(path)),
      contents_(std::move(contents)),
      changed_(std::move(changed)),
      follower_(folder_of(path_), "the configuration", *this) {}

Status ConfigWatch::compare() {
  const auto contents = read_file(path_);
  if (!contents || contents->empty() || *contents == contents_) return {};
  if (const auto changed = std::exchange(changed_, nullptr)) changed();
  return {};
}

void ConfigWatch::report(Status health) {
  if (!health) spdlog::warn("watching {}: {}", path_, health.error().text());
}

}  // namespace weft::cmd
