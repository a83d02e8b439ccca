#include "serve/http_ask.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"
#include "base/unix_address.h"

namespace weft {
namespace {

// More than the status of 5,000 peers needs.
constexpr std::size_t kLongestAnswer = 16U << 20U;

Result<Fd> connect_to(const std::string& socket) {
  const std::string tried = "asking at " + socket;
  const auto where = UnixAddress::parse(socket);
  if (!where) return because(tried, where.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.empty() || ::connect(fd.get(), where->get(), where->size()) != 0) return fail_errno(tried);
  return fd;
}

// Until the other side ends the connection.
Result<std::string> read_all(const Fd& fd, const std::string& socket,
                             std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string text;
  char piece[16384];
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waited{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) == 0)
      return fail_errno("waiting for an answer at " + socket, ETIMEDOUT);
    const ssize_t got = ::read(fd.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading the answer at " + socket);
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > kLongestAnswer) return fail("the answer at " + socket + " has no end");
  }
}

}  // namespace

Result<HttpReply> http_ask(const std::string& socket, const std::string& path,
                           std::chrono::milliseconds patience) {
  ASSIGN_OR_RETURN(const Fd fd, connect_to(socket));
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return fail_errno("asking at " + socket);
  ASSIGN_OR_RETURN(const std::string text, read_all(fd, socket, patience));
  // "HTTP/1.1 200 OK"; our server says how long the body is, and ends behind it.
  const auto end_of_header = text.find("\r\n\r\n");
  const auto words = split(text.substr(0, text.find("\r\n")), ' ');
  const auto status = words.size() < 2 ? std::nullopt : parse_number(words[1]);
  if (end_of_header == std::string::npos || !status || text.rfind("HTTP/1.", 0) != 0)
    return fail("who answers at " + socket + " is no weft daemon");
  return HttpReply{.status = static_cast<int>(*status), .body = text.substr(end_of_header + 4)};
}

}  // namespace weft
