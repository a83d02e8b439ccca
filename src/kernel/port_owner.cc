#include "kernel/port_owner.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <sstream>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "kernel/socket_address.h"

namespace weft::kernel {
namespace {

// The sockets' numbers in one of the kernel's tables: "sl local_address rem_address st ... inode".
// Those of the thread: /proc/net shows the namespace of the process's first one.
void collect(const std::string& table, std::uint16_t port, bool listening_only,
             std::set<std::string>& sockets) {
  std::array<char, 8> wanted{};
  std::snprintf(wanted.data(), wanted.size(), ":%04X", port);
  std::istringstream lines(read_file("/proc/thread-self/net/" + table).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmissions, user, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmissions >> user >>
        timeout >> inode;
    constexpr const char* kListen = "0A";
    if (local.ends_with(wanted.data()) && (!listening_only || state == kListen))
      sockets.insert("socket:[" + inode + "]");
  }
}

bool has_socket(const std::string& process, const std::set<std::string>& sockets) {
  const std::string folder = "/proc/" + process + "/fd";
  const auto descriptors = list_directory(folder);
  if (!descriptors) return false;
  for (const std::string& each : *descriptors) {
    std::string path = folder;
    path.append("/").append(each);
    std::array<char, 64> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size > 0 && sockets.contains(std::string(target.data(), static_cast<std::size_t>(size))))
      return true;
  }
  return false;
}

// TCP takes a port that only connections of the past still have.
bool cannot_bind(int type, const IpAddress& address, std::uint16_t port) {
  const Fd fd(::socket(socket_family(address), type | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (type == SOCK_STREAM) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!address.is_v4()) (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const SocketAddress at(address, port);
  return ::bind(fd.get(), at.get(), at.size) < 0 && errno == EADDRINUSE;
}

}  // namespace

bool is_bound(const IpAddress& address, std::uint16_t port) {
  return cannot_bind(SOCK_DGRAM, address, port) || cannot_bind(SOCK_STREAM, address, port);
}

std::string port_owner(std::uint16_t port) {
  std::set<std::string> sockets;
  for (const char* table : {"udp", "udp6"}) collect(table, port, false, sockets);
  for (const char* table : {"tcp", "tcp6"}) collect(table, port, true, sockets);
  const auto processes = list_directory("/proc");
  if (sockets.empty() || !processes) return {};
  const std::string own = std::to_string(::getpid());
  for (const std::string& process : *processes) {
    if (!parse_number(process) || process == own || !has_socket(process, sockets)) continue;
    const std::string name = read_file("/proc/" + process + "/comm").value_or("");
    return std::string(trim(name)) + " (process " + process + ")";
  }
  return {};
}

}  // namespace weft::kernel
