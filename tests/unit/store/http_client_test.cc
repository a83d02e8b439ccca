#include "store/http_client.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/http_server.h"

namespace weft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::http_answer;
using test::HttpServer;
using Clock = std::chrono::steady_clock;

constexpr char kChunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

HttpServer::Handler says(std::string bytes) {
  return [bytes = std::move(bytes)](const auto&, const auto& peer) { peer.send(bytes); };
}

HttpEndpoint at(const HttpServer& server) {
  return {.tls = false, .host = "127.0.0.1", .port = server.port()};
}

HttpOptions impatient() {
  HttpOptions options;
  options.connect_timeout = milliseconds(300);
  options.read_timeout = milliseconds(300);
  options.total_timeout = milliseconds(900);
  return options;
}

Result<HttpAnswer> post(const HttpServer& server,
                        const HttpRequest& what = {.path = "/", .body = ""},
                        const std::stop_token& stop = {}) {
  return http_call(at(server), impatient(), what, stop);
}

TEST(HttpClientTest, SendsWhatItIsGiven) {
  const HttpServer server([](const HttpServer::Request& request, const auto& peer) {
    peer.send(http_answer(200, request.head + "|" + request.body));
  });
  const auto answer =
      post(server, {.path = "/v3/x", .body = "{\"a\":1}", .headers = {{"Authorization", "me"}}});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_TRUE(answer->body.starts_with("POST /v3/x HTTP/1.1\r\n")) << answer->body;
  EXPECT_TRUE(answer->body.ends_with("{\"a\":1}")) << answer->body;
  EXPECT_NE(answer->body.find("\r\nAuthorization: me|"), std::string::npos) << answer->body;
}

TEST(HttpClientTest, RefusesAHeaderThatBringsMore) {
  const HttpServer server(says(http_answer(200, "")));
  EXPECT_FALSE(
      post(server, {.path = "/", .body = "", .headers = {{"Authorization", "x\r\nEvil: yes"}}}));
}

TEST(HttpClientTest, ReadsEveryWayToEndABody) {
  for (const std::string& bytes : std::vector<std::string>{
           http_answer(200, "hello"),
           std::string(kChunked) + "3\r\nhel\r\n2;odd=1\r\nlo\r\n0\r\n\r\n",
           // As grpc-gateway ends its answers.
           std::string(kChunked) + "5\r\nhello\r\n0\r\nGrpc-Trailer-Content-Type: x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"}) {
    const HttpServer server(says(bytes));
    const auto answer = post(server);
    ASSERT_TRUE(answer) << bytes << answer.error().text();
    EXPECT_EQ(answer->body, "hello") << bytes;
  }
}

TEST(HttpClientTest, BrokenAnswersAreErrors) {
  for (const std::string& bytes : std::vector<std::string>{
           "", "hello\n", "HTTP/1.1 ", "HTTP/1.1 999999 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           std::string(kChunked) + "5\r\nhello\r\n", std::string(kChunked) + "zz\r\nhello\r\n",
           "HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x')}) {
    const HttpServer server(says(bytes));
    const auto answer = post(server);
    ASSERT_FALSE(answer) << bytes.substr(0, 100) << answer->status << answer->body;
    EXPECT_NE(answer.error().what.find(server.endpoint()), std::string::npos)
        << answer.error().text();
  }
}

TEST(HttpClientTest, RefusalsComeWithTheirBody) {
  const HttpServer server(says(http_answer(503, "no leader")));
  const auto answer = post(server);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "no leader");
}

TEST(HttpClientTest, NobodyListens) {
  std::uint16_t port = 0;
  { port = HttpServer(says("")).port(); }
  const auto answer = http_call({.tls = false, .host = "127.0.0.1", .port = port}, impatient(),
                                {.path = "/", .body = ""}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ECONNREFUSED);
}

// Whatever a server drips: the header, the body, or the frame of a chunk that never comes.
TEST(HttpClientTest, DrippingServersCannotHoldACall) {
  for (const std::string& begin : std::vector<std::string>{
           "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
           std::string(kChunked) + "5;"}) {
    const HttpServer server([&](const auto&, const HttpServer::Peer& peer) {
      if (!peer.send(begin)) return;
      while (peer.send("x")) std::this_thread::sleep_for(milliseconds(10));
    });
    const auto begun = Clock::now();
    const auto answer = post(server);
    ASSERT_FALSE(answer) << begin;
    EXPECT_EQ(answer.error().number, ETIMEDOUT) << answer.error().text();
    EXPECT_LT(Clock::now() - begun, seconds(3)) << begin;
  }
}

TEST(HttpClientTest, AStopEndsACallAtOnce) {
  const HttpServer server([](const auto&, const HttpServer::Peer& peer) { peer.stall(); });
  HttpOptions patient;
  patient.read_timeout = patient.total_timeout = seconds(60);
  std::stop_source source;
  const auto begun = Clock::now();
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(50));
    source.request_stop();
  });
  const auto answer = http_call(at(server), patient, {.path = "/", .body = ""}, source.get_token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ECANCELED);
  EXPECT_LT(Clock::now() - begun, seconds(5));
  // One that was stopped before it began does not begin.
  EXPECT_EQ(
      http_call(at(server), patient, {.path = "/", .body = ""}, source.get_token()).error().number,
      ECANCELED);
}

TEST(HttpClientTest, AStreamOutlivesTheTotalTimeAndEndsAsItsReceiverWants) {
  const HttpServer server([](const auto&, const HttpServer::Peer& peer) {
    if (!peer.send(kChunked)) return;
    while (peer.send("1\r\nx\r\n")) std::this_thread::sleep_for(milliseconds(50));
  });
  const auto begun = Clock::now();
  std::string received;
  const auto answer =
      http_stream(at(server), impatient(), {.path = "/", .body = ""}, {}, [&](auto piece) {
        received += piece;
        return Clock::now() - begun < milliseconds(1200);
      });
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_GE(received.size(), 10U);
}

TEST(HttpClientTest, AStreamOfAnotherTypeThanWantedIsNotRead) {
  const HttpServer server([](const HttpServer::Request& request, const HttpServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; a=b\r\n\r\n" + request.head);
    peer.stall();
  });
  for (const char* wanted : {"text/plain", "text/html"}) {
    std::string received;
    const auto answer =
        http_stream(at(server), impatient(), {.path = "/", .accept = wanted}, {}, [&](auto piece) {
          received += piece;
          return piece.empty();
        });
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->content_type, "Text/Plain; a=b");
    EXPECT_EQ(received.empty(), wanted == std::string("text/html")) << wanted;
    if (received.empty()) continue;
    EXPECT_NE(received.find("\r\nAccept: text/plain"), std::string::npos) << received;
  }
}

TEST(HttpClientTest, ASilentStreamIsTold) {
  const HttpServer server([](const auto&, const HttpServer::Peer& peer) {
    if (peer.send(kChunked)) peer.stall();
  });
  std::vector<std::string> pieces;
  const auto answer =
      http_stream(at(server), impatient(), {.path = "/", .body = ""}, {}, [&](auto piece) {
        pieces.emplace_back(piece);
        return true;
      });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ETIMEDOUT);
  EXPECT_EQ(pieces, std::vector<std::string>{""}) << "that the server has agreed, and no more";
}

TEST(HttpClientTest, TlsWithAPlainServerIsAnError) {
  const HttpServer server(says(http_answer(200, "")));
  HttpEndpoint endpoint = at(server);
  endpoint.tls = true;
  const auto answer = http_call(endpoint, impatient(), {.path = "/", .body = ""}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ECONNREFUSED);
}

TEST(HttpClientTest, AsksByAnyMethod) {
  const HttpServer server([](const HttpServer::Request& request, const auto& peer) {
    peer.send(http_answer(200, request.head + "|" + request.body));
  });
  const auto get = http_call(at(server), impatient(), {.method = "GET", .path = "/a?b=c"}, {});
  ASSERT_TRUE(get) << get.error().text();
  EXPECT_TRUE(get->body.starts_with("GET /a?b=c HTTP/1.1\r\n")) << get->body;
  EXPECT_EQ(get->body.find("Content-"), std::string::npos) << get->body;
  const auto patch = http_call(
      at(server), impatient(),
      {.method = "PATCH", .path = "/x", .body = "{}", .content_type = "application/patch"}, {});
  ASSERT_TRUE(patch) << patch.error().text();
  EXPECT_NE(patch->body.find("Content-Type: application/patch"), std::string::npos);
}

TEST(HttpClientTest, GoesThroughAProxy) {
  std::string asked;
  const HttpServer proxy([&](const HttpServer::Request& request, const auto& peer) {
    asked = request.head;
    // The tunnel's far end, here at once.
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n" + http_answer(200, "through"));
    peer.stall();
  });
  HttpOptions options = impatient();
  options.proxy = HttpProxy{.endpoint = at(proxy), .credentials = "me:secret"};
  const HttpEndpoint far{.tls = false, .host = "192.0.2.77", .port = 6443};
  const auto answer = http_call(far, options, {.method = "GET", .path = "/"}, {});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->body, "through");
  EXPECT_TRUE(asked.starts_with("CONNECT 192.0.2.77:6443 HTTP/1.1\r\n")) << asked;
  EXPECT_NE(asked.find("Proxy-Authorization: Basic bWU6c2VjcmV0"), std::string::npos) << asked;
}

TEST(HttpClientTest, AProxyThatRefusesIsNamed) {
  const HttpServer proxy(says(http_answer(407, "who are you")));
  HttpOptions options = impatient();
  options.proxy = HttpProxy{.endpoint = at(proxy), .credentials = "me:secret"};
  const auto answer = http_call({.tls = true, .host = "192.0.2.77", .port = 6443}, options,
                                {.method = "GET", .path = "/"}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ECONNREFUSED);
  EXPECT_NE(answer.error().text().find("status 407"), std::string::npos) << answer.error().text();
  EXPECT_EQ(answer.error().text().find("secret"), std::string::npos);
}

TEST(HttpClientTest, AStreamHasAnEnd) {
  const HttpServer server([](const auto&, const auto& peer) {
    peer.send(kChunked);
    while (peer.send("1\r\nx\r\n")) std::this_thread::sleep_for(milliseconds(5));
  });
  HttpOptions options = impatient();
  options.stream_timeout = milliseconds(200);
  const auto answer = http_stream(at(server), options, {.method = "GET", .path = "/"}, {},
                                  [](auto) { return true; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().number, ETIMEDOUT) << answer.error().text();
}

}  // namespace
}  // namespace weft
