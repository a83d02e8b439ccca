#include "base/sd_notify.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "base/unix_address.h"

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
  if (socket_[0] != '/' && socket_[0] != '@') return fail(tried + ": this is no path of a socket");
  const auto where = UnixAddress::parse(socket_);
  if (!where) return because(tried, where.error());
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno(tried);
  if (::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL, where->get(),
               where->size()) < 0)
    return fail_errno(tried);
  return {};
}

}  // namespace weft
