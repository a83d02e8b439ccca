#include "overlay/status_file.h"

#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "cluster/subnet_env.h"

namespace weft::overlay {

StatusFile::StatusFile(const std::string& subnet_file)
    : path_(beside_subnet_file(subnet_file, "status.json")) {}

void StatusFile::set(AgentState state, const std::string& reason, UnixSeconds since) {
  const std::string now = std::string(to_string(state)) + " " + reason;
  if (now == last_) return;
  const Json json = {{"state", to_string(state)},
                     {"reason", reason},
                     {"since", since.time_since_epoch().count()},
                     {"pid", ::getpid()}};
  const auto slash = path_.rfind('/');
  if (slash != std::string::npos && slash != 0) (void)make_directories(path_.substr(0, slash));
  // A comfort: the network works without it, and the next pass tries again.
  if (const Status written = write_file_atomically(path_, to_text(json) + "\n", 0644); !written)
    spdlog::warn("{}", written.error().text());
  else
    last_ = now;
}

}  // namespace weft::overlay
