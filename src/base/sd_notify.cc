#include "base/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"

namespace weft {
namespace {

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.socket_ = take("NOTIFY_SOCKET");
  const auto microseconds = parse_number(take("WATCHDOG_USEC"));
  const std::string pid = take("WATCHDOG_PID");
  const bool ours = pid.empty() || pid == std::to_string(::getpid());
  if (!manager.socket_.empty() && ours && microseconds && *microseconds > 0)
    manager.watchdog_ = std::chrono::microseconds(*microseconds);
  return manager;
}

Status ServiceManager::status(const std::string& line) const {
  std::string text = "STATUS=" + line;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return send(text);
}

Status ServiceManager::send(const std::string& message) const {
  if (socket_.empty()) return {};
  const std::string tried = "telling the service manager at " + socket_;
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if ((socket_[0] != '/' && socket_[0] != '@') || socket_.size() >= sizeof where.sun_path)
    return fail(tried + ": this is no path of a socket");
  std::memcpy(where.sun_path, socket_.data(), socket_.size());
  // An abstract socket: its name begins with a zero byte and ends with the address.
  if (socket_[0] == '@') where.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno(tried);
  if (::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&where), size) < 0)
    return fail_errno(tried);
  return {};
}

}  // namespace weft
