#include "serve/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/unix_address.h"
#include "serve/http_ask.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

using test::must;

const IpAddress kLoopback = IpAddress::parse("127.0.0.1").value();

HttpReply say_path(const std::string& path) {
  if (path == "/healthz") return {.body = "well"};
  return {.status = 404, .body = "nothing at " + path};
}

Fd connect_tcp(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

Fd connect_unix(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UnixAddress to = must(UnixAddress::parse(path));
  EXPECT_EQ(::connect(fd.get(), to.get(), to.size()), 0);
  return fd;
}

// All that comes until the server ends the connection.
std::string read_all(const Fd& fd) {
  std::string text;
  char piece[4096];
  for (ssize_t got = ::read(fd.get(), piece, sizeof piece); got > 0;
       got = ::read(fd.get(), piece, sizeof piece))
    text.append(piece, static_cast<std::size_t>(got));
  return text;
}

std::string ask(const Fd& fd, const std::string& request) {
  EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  return read_all(fd);
}

TEST(HttpServer, AnswersOverTcp) {
  HttpServer server(say_path);
  const auto port = must(server.listen(kLoopback, 0));
  EXPECT_EQ(ask(connect_tcp(port), "GET /healthz?verbose HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\nwell");
  const auto missing = ask(connect_tcp(port), "GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(missing.rfind("HTTP/1.1 404 Not Found\r\n", 0), 0U) << missing;
}

TEST(HttpServer, PortsWithAnswersOfTheirOwnComeAndGo) {
  HttpServer server(say_path);
  const auto own = [](const std::string& path) {
    return HttpReply{.status = 503, .body = "own " + path, .headers = {{"X-Weight", "0"}}};
  };
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto usual = must(server.listen(kLoopback, 0));
  const auto port = must(server.listen(kLoopback, 0, own));
  const std::string answer = ask(connect_tcp(port), request);
  EXPECT_NE(answer.find(" 503 "), std::string::npos);
  EXPECT_NE(answer.find("\r\nX-Weight: 0\r\n\r\nown /healthz"), std::string::npos) << answer;
  EXPECT_FALSE(server.listen(kLoopback, port));
  server.close(kLoopback, port);
  EXPECT_EQ(must(server.listen(kLoopback, port)), port);
  EXPECT_NE(ask(connect_tcp(port), request).find("well"), std::string::npos);
  server.close(kLoopback, 1);
  EXPECT_NE(ask(connect_tcp(usual), request).find("well"), std::string::npos);
}

TEST(HttpServer, SendsNoBodyToAHead) {
  HttpServer server(say_path);
  const auto port = must(server.listen(kLoopback, 0));
  const auto answer = ask(connect_tcp(port), "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 4"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST(HttpServer, TakesARequestInPieces) {
  HttpServer server(say_path);
  const auto fd = connect_tcp(must(server.listen(kLoopback, 0)));
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t i = 0; i + 1 < request.size(); ++i)
    ASSERT_EQ(::send(fd.get(), request.data() + i, 1, MSG_NOSIGNAL), 1);
  EXPECT_NE(ask(fd, request.substr(request.size() - 1)).find("200 OK"), std::string::npos);
}

TEST(HttpServer, RefusesWhatItDoesNotServe) {
  HttpServer server(say_path);
  const auto port = must(server.listen(kLoopback, 0));
  struct Case {
    std::string request;
    const char* status;
  };
  for (const auto& [request, status] :
       {Case{"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", " 405 "},
        Case{"\x16\x03\x01 this is TLS\r\n\r\n", " 400 "},
        Case{"GET /healthz HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", " 400 "}}) {
    const auto answer = ask(connect_tcp(port), request);
    EXPECT_NE(answer.find(status), std::string::npos) << answer;
  }
}

TEST(HttpServer, TakesNoMoreThanItsShareOfConnections) {
  HttpServer server(say_path);
  const auto port = must(server.listen(kLoopback, 0));
  std::vector<Fd> idle;
  for (int i = 0; i < 32; ++i) idle.push_back(connect_tcp(port));
  // One too many is ended without a word, and those before it are served all the same.
  EXPECT_EQ(read_all(connect_tcp(port)), "");
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_NE(ask(idle.front(), request).find("200 OK"), std::string::npos);
  EXPECT_NE(ask(idle.back(), request).find("200 OK"), std::string::npos);
}

TEST(HttpServer, APortThatIsTakenIsAnError) {
  HttpServer first(say_path);
  const auto port = must(first.listen(kLoopback, 0));
  HttpServer second(say_path);
  const auto refused = second.listen(kLoopback, port);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number, EADDRINUSE);
  EXPECT_NE(refused.error().text().find("another program has it"), std::string::npos);
}

TEST(HttpServer, AnswersAtAUnixSocketForRootAlone) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/weft.sock";
  {
    HttpServer server(say_path);
    must(server.listen(path));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_NE(ask(connect_unix(path), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").find("well"),
              std::string::npos);
    HttpServer second(say_path);
    const Status refused = second.listen(path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().number, EADDRINUSE);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "a socket that nobody listens at was left";
}

TEST(HttpAsk, GetsTheWholeAnswerOfAServerOfOurs) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/weft.sock";
  const std::string large(3 << 20, 'x');
  HttpServer server([&](const std::string& asked) {
    return asked == "/status" ? HttpReply{.body = large} : HttpReply{.status = 404};
  });
  must(server.listen(path));
  const auto answer = must(http_ask(path, "/status", std::chrono::seconds(10)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, large);
  EXPECT_EQ(must(http_ask(path, "/x", std::chrono::seconds(10))).status, 404);
}

TEST(HttpAsk, SaysWhyThereIsNoAnswer) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/weft.sock";
  EXPECT_EQ(http_ask(path, "/", std::chrono::seconds(1)).error().number, ENOENT);
  const Fd silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UnixAddress at = must(UnixAddress::parse(path));
  ASSERT_EQ(::bind(silent.get(), at.get(), at.size()), 0);
  EXPECT_EQ(http_ask(path, "/", std::chrono::seconds(1)).error().number, ECONNREFUSED);
  ASSERT_EQ(::listen(silent.get(), 1), 0);
  EXPECT_EQ(http_ask(path, "/", std::chrono::milliseconds(20)).error().number, ETIMEDOUT);
}

TEST(HttpServer, TakesOverASocketThatAKilledOneLeft) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/weft.sock";
  {
    const Fd left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const UnixAddress at = must(UnixAddress::parse(path));
    ASSERT_EQ(::bind(left.get(), at.get(), at.size()), 0);
  }
  HttpServer server(say_path);
  must(server.listen(path));
  EXPECT_NE(ask(connect_unix(path), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").find("well"),
            std::string::npos);
}

}  // namespace
}  // namespace weft
