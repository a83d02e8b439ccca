#include "cni/plugins/dhcp.h"

#include <sys/socket.h>
#include <unistd.h>

#include <climits>

#include "base/fd.h"
#include "base/unix_address.h"
#include "cni/plugins/dhcp_config.h"
#include "cni/plugins/dhcp_rpc.h"

namespace weft::cni {
namespace {

// The daemon may run in another folder.
std::string absolute(const std::string& path) {
  char here[PATH_MAX];
  if (path.empty() || path[0] == '/' || ::getcwd(here, sizeof here) == nullptr) return path;
  return std::string(here) + "/" + path;
}

DhcpCall hand_over(const Call& call) {
  return {.container_id = call.environment.container_id,
          .netns = absolute(call.environment.netns),
          .ifname = call.environment.ifname,
          .args = call.environment.args,
          .path = call.environment.path,
          .config = std::string(call.config_text)};
}

Result<Fd> connect_to(const std::string& path) {
  ASSIGN_OR_RETURN(const UnixAddress address, UnixAddress::parse(path));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.empty() || ::connect(fd.get(), address.get(), address.size()) != 0)
    return fail_errno("error dialing DHCP daemon: dial unix " + path + ": connect");
  return fd;
}

// In the words of Go, which people look for.
CniFailure not_there(const Error& error, const std::string& path, Code code) {
  return refuse(
      code, "error dialing DHCP daemon: dial unix " + path + ": connect: " + go_words(error.number),
      "start `dhcp daemon` on this node");
}

bool nobody_listens(const Error& error) {
  return error.number == ENOENT || error.number == ECONNREFUSED;
}

CniStatus send_all(const Fd& fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0)
      return refuse(Code::kIoFailure, "writing to the DHCP daemon: " + go_words(errno));
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

CniResult<AddResult> ask(const Fd& daemon, std::string_view method, const Call& call) {
  DhcpRpcClient client(method, hand_over(call));
  for (;;) {
    RETURN_IF_ERROR(send_all(daemon, client.take()));
    char buffer[4096];
    const ssize_t got = ::recv(daemon.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return refuse(Code::kTryAgainLater,
                    "error calling " + std::string(method) + ": the DHCP daemon has ended");
    auto answer = client.receive({buffer, static_cast<std::size_t>(got)});
    if (!answer) return because("error calling " + std::string(method), std::move(answer).error());
    if (*answer) return **std::move(answer);
  }
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const DhcpConfig config, read_dhcp_config(call.config, call.environment.args));
  const auto daemon = connect_to(config.socket);
  if (!daemon) return not_there(daemon.error(), config.socket, Code::kInternal);
  return ask(*daemon, kDhcpAllocate, call);
}

// The socket, whatever else is wrong with the configuration.
std::string socket_of(const Call& call) {
  std::string socket;
  if (const Json* ipam = find_member(call.config, "ipam"); ipam != nullptr && ipam->is_object())
    ObjectReader(*ipam, "ipam").read("daemonSocketPath", socket);
  return socket.empty() ? kDhcpSocket : socket;
}

// Without a daemon nobody keeps a lease alive; when it starts it sees that the container is gone.
CniStatus del(const Call& call) {
  const auto daemon = connect_to(socket_of(call));
  if (!daemon && nobody_listens(daemon.error())) return {};
  if (!daemon) return not_there(daemon.error(), socket_of(call), Code::kInternal);
  RETURN_IF_ERROR(ask(*daemon, kDhcpRelease, call));
  return {};
}

// As the Go plugin: the daemon hands out the lease that it has.
CniStatus check(const Call& call) {
  RETURN_IF_ERROR(add(call));
  return {};
}

CniStatus status(const Call& call) {
  const auto config = read_dhcp_config(call.config, call.environment.args);
  if (!config) return refuse(Code::kNotAvailable, config.error().message);
  const auto daemon = connect_to(config->socket);
  if (!daemon) return not_there(daemon.error(), config->socket, Code::kNotAvailable);
  return {};
}

CniStatus gc(const Call& call) {
  const auto daemon = connect_to(socket_of(call));
  if (!daemon && nobody_listens(daemon.error())) return {};
  if (!daemon) return not_there(daemon.error(), socket_of(call), Code::kInternal);
  const auto collected = ask(*daemon, kDhcpCollect, call);
  // The Go daemon has no such method.
  if (!collected && collected.error().message.find("rpc: can't find") == std::string::npos)
    return CniFailure(collected.error());
  return {};
}

}  // namespace

const Plugin kDhcp{.name = "dhcp",
                   .add = add,
                   .del = del,
                   .check = check,
                   .status = status,
                   .gc = gc,
                   .kind = Kind::kIpam};

}  // namespace weft::cni
