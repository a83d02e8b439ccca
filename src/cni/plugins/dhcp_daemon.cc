#include "cni/plugins/dhcp_daemon.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "base/unix_address.h"
#include "cni/plugins/dhcp_leases.h"
#include "cni/plugins/dhcp_rpc.h"

namespace weft::cni {
namespace {

constexpr int kFirstHandedOver = 3;  // SD_LISTEN_FDS_START
constexpr int kQueue = 128;

// sd_listen_fds(3). Nothing when systemd hands none over.
Result<std::optional<Fd>> handed_over() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || parse_number(pid) != ::getpid()) return std::nullopt;
  if (std::string_view(count) == "0") return std::nullopt;
  if (std::string_view(count) != "1")
    return fail("Too many (" + std::string(count) + ") FDs passed through socket activation");
  return Fd(kFirstHandedOver);
}

// A daemon that was killed has left its socket; one that runs answers.
Status remove_stale_socket(const std::string& path, const UnixAddress& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.get(), address.size()) == 0)
    return fail_errno("listening on " + path, EADDRINUSE, "another dhcp daemon runs");
  return errno == ECONNREFUSED ? remove_file(path) : Status();
}

Result<Fd> listen_on(const std::string& path) {
  ASSIGN_OR_RETURN(const UnixAddress address, UnixAddress::parse(path));
  RETURN_IF_ERROR(make_directories(path.substr(0, path.rfind('/')), 0700));
  RETURN_IF_ERROR(remove_stale_socket(path, address));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.empty() || ::bind(fd.get(), address.get(), address.size()) != 0 ||
      ::listen(fd.get(), kQueue) != 0)
    return fail_errno("listening on " + path);
  return fd;
}

Result<Fd> watch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (fd.empty()) return fail_errno("watching for signals");
  return fd;
}

class Daemon {
 public:
  Daemon(const DhcpDaemonOptions& options, Fd listener, Fd signals)
      : leases_(options), listener_(std::move(listener)), signals_(std::move(signals)) {
    leases_.resume();
  }

  void run() {
    for (;;) {
      std::vector<pollfd> events;
      for (const int fd : {signals_.get(), listener_.get()}) events.push_back(readable(fd));
      for (const auto& [fd, session] : sessions_) events.push_back(readable(fd));
      const std::size_t wires = events.size();
      for (const int fd : leases_.descriptors()) events.push_back(readable(fd));
      if (::poll(events.data(), events.size(), leases_.wait()) < 0 && errno != EINTR) return;
      if (events[0].revents != 0) return;
      if (events[1].revents != 0) accept_one();
      for (std::size_t i = 2; i < events.size(); ++i) {
        if (events[i].revents == 0) continue;
        if (i < wires)
          read_from(events[i].fd);
        else
          leases_.on_readable(events[i].fd);
      }
      leases_.on_time();
      drop_closed();
    }
  }

 private:
  struct Session {
    Fd fd;
    DhcpRpcServer rpc = {};
    std::uint64_t number = 0;  // descriptors are used again
    bool closed = false;
  };

  static pollfd readable(int fd) { return {.fd = fd, .events = POLLIN, .revents = 0}; }

  void accept_one() {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.empty()) return;
    const int number = fd.get();
    sessions_.insert_or_assign(number, Session{.fd = std::move(fd), .number = ++last_session_});
  }

  void read_from(int fd) {
    Session& session = sessions_.at(fd);
    char buffer[16384];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      session.closed = true;
      return;
    }
    session.rpc.feed({buffer, static_cast<std::size_t>(got)});
    for (;;) {
      const auto request = session.rpc.next();
      if (!request) session.closed = true;
      if (!request || !*request) break;
      serve(session, **request);
    }
    flush(session);
  }

  void serve(Session& session, const DhcpRpcServer::Request& request) {
    if (request.method == kDhcpAllocate) {
      leases_.allocate(request.call, [this, fd = session.fd.get(), number = session.number,
                                      request](const CniResult<AddResult>& result) {
        // Who has hung up meanwhile calls DEL for what was got.
        const auto found = sessions_.find(fd);
        if (found == sessions_.end() || found->second.number != number) return;
        if (result)
          found->second.rpc.answer(request, *result);
        else
          found->second.rpc.refuse(request, result.error().message);
        flush(found->second);
      });
      return;
    }
    CniStatus done = refuse("rpc: can't find method " + request.method);
    if (request.method == kDhcpRelease) done = leases_.release(request.call);
    if (request.method == kDhcpCollect) done = leases_.collect(request.call);
    if (done)
      session.rpc.answer(request, std::nullopt);
    else
      session.rpc.refuse(request, done.error().message);
  }

  // Answers are small: one that does not fit the socket has no reader.
  static void flush(Session& session) {
    const std::string text = session.rpc.take();
    if (text.empty()) return;
    const ssize_t sent = ::send(session.fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(text.size())) session.closed = true;
  }

  void drop_closed() {
    std::erase_if(sessions_, [](const auto& each) { return each.second.closed; });
  }

  DhcpLeases leases_;
  Fd listener_;
  Fd signals_;
  std::map<int, Session> sessions_;
  std::uint64_t last_session_ = 0;
};

}  // namespace

Status run_dhcp_daemon(const DhcpDaemonOptions& options) {
  if (!options.pid_file.empty())
    RETURN_IF_ERROR(write_file_atomically(options.pid_file, std::to_string(::getpid()), 0644,
                                          Survives::kProcess));
  ASSIGN_OR_RETURN(Fd signals, watch_signals());
  ASSIGN_OR_RETURN(auto listener, handed_over());
  const std::string path = options.host_prefix + options.socket;
  const bool own = !listener;
  if (own) {
    ASSIGN_OR_RETURN(listener, listen_on(path));
  }
  Daemon(options, *std::move(listener), std::move(signals)).run();
  if (own) (void)remove_file(path);
  if (!options.pid_file.empty()) (void)remove_file(options.pid_file);
  return {};
}

}  // namespace weft::cni
