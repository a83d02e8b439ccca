// What a wrong, broken or hostile server at etcd's address does to us: an Error, and the view
// that we had.
#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/lock_guarded.h"
#include "peers/etcd_server.h"
#include "store/etcd_store.h"
#include "support/http_server.h"
#include "support/leases.h"

namespace weft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::eventually;

// Answers range requests and watches with what the test says at the time.
class Impostor {
 public:
  enum class Mode { kText, kStall, kFlood };

  Impostor()
      : server_([this](const auto& request, const auto& peer) {
          answer(request.asks("/v3/watch") ? watch_ : range_, peer);
        }) {}

  void says(const std::string& range, const std::string& watch = "") {
    range_.with([&](std::string& text) { text = range; });
    watch_.with([&](std::string& text) { text = watch; });
    mode_ = Mode::kText;
  }
  void does(Mode mode) { mode_ = mode; }

  std::unique_ptr<EtcdStore> store(milliseconds patience = milliseconds(500),
                                   const std::stop_token& stop = {}) const {
    EtcdOptions options;
    options.endpoints = {endpoint()};
    options.connect_timeout = patience;
    options.request_timeout = patience;
    options.watch_silence = patience;
    return *EtcdStore::open(options, stop);
  }
  std::string endpoint() const { return server_.endpoint(); }

 private:
  void answer(const LockGuarded<std::string>& text, const test::HttpServer::Peer& peer) const {
    const Mode mode = mode_;
    if (mode == Mode::kText) {
      peer.send(test::http_answer(200, text.copy()));
    } else if (peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")) {
      if (mode == Mode::kStall) peer.stall();
      const std::string chunk = "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
      while (peer.send(chunk)) continue;
    }
  }

  std::atomic<Mode> mode_{Mode::kText};
  LockGuarded<std::string> range_;
  LockGuarded<std::string> watch_;
  test::HttpServer server_;  // last: its threads use the rest
};

std::string good_range() {
  return R"({"header":{"revision":"7"},"kvs":[{"key":")" +
         to_base64("/coreos.com/network/subnets/10.3.1.0-24") +
         R"(","mod_revision":"5","value":")" + to_base64(test::kValue) + R"("}],"count":"1"})";
}

constexpr char kCreated[] = R"({"result":{"header":{"revision":"7"},"created":true}})"
                            "\n";

const std::vector<std::string> kGarbage{
    "",
    "<html><body>It works!</body></html>",
    R"({"header":{"revision":"7"},"kvs":[{"key":"L2)",
    "[]",
    "null",
    "{}",
    R"({"header":7})",
    R"({"header":{"revision":"7"},"kvs":"many"})",
    R"({"header":{"revision":"seven"}})",
    R"({"header":{"revision":"7"},"kvs":[{"key":"no base64!"}]})",
    R"({"header":{"revision":"7"},"kvs":[{"key":"Zm9v"}]})",
    R"({"header":{"revision":"7"},"kvs":[],"more":true})",
    std::string(100'000, '['),
};

TEST(EtcdGarbageTest, AnswersThatAreNoneAreErrors) {
  Impostor impostor;
  const auto store = impostor.store();
  impostor.says(good_range());
  ASSERT_TRUE(store->list()) << store->list().error().text();
  for (const auto& answer : kGarbage) {
    impostor.says(answer);
    EXPECT_FALSE(store->list()) << answer.substr(0, 100);
  }
}

TEST(EtcdGarbageTest, StallsAndFloodsEnd) {
  Impostor impostor;
  const auto store = impostor.store();
  impostor.does(Impostor::Mode::kStall);
  const auto begun = std::chrono::steady_clock::now();
  const auto stalled = store->list();
  ASSERT_FALSE(stalled);
  EXPECT_NE(stalled.error().text().find(impostor.endpoint()), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(2));
  impostor.does(Impostor::Mode::kFlood);
  const auto flooded = store->list();
  ASSERT_FALSE(flooded);
  EXPECT_NE(flooded.error().text().find("more than"), std::string::npos) << flooded.error().text();
}

TEST(EtcdGarbageTest, WatchKeepsItsView) {
  Impostor impostor;
  const auto store = impostor.store();
  const std::string event = R"({"result":{"header":{"revision":"8"},"events":[)";
  const std::vector<std::string> streams{
      "<html>\n",
      event + "{}]}}\n",
      event + "{\"type\":\"DELETE\",\"kv\":{\"key\":\"%\"}}]}}\n",
      event + "7]}}\n",
      "{\"error\":{\"message\":\"so sorry\"}}\n",
      "{}\n",
      "{\"result\":{\"header\":{},\"canceled\":true}}\n",
      "{\"result\":{\"header\":{},\"canceled\":true,\"compact_revision\":\"9\"}}\n"};
  for (const auto& stream : streams) {
    impostor.says(good_range(), kCreated);
    const auto watch = store->watch([] {});
    ASSERT_TRUE(eventually([&] { return watch->view() != nullptr; }));
    impostor.says("<html>", kCreated + stream);
    // So it has given the stream up, and has read anew in vain.
    EXPECT_TRUE(eventually([&] {
      const auto health = watch->health();
      return !health && health.error().what.find("no JSON object") != std::string::npos;
    })) << stream;
    EXPECT_EQ(watch->view()->leases.size(), 1U) << stream;
  }
}

TEST(EtcdGarbageTest, StalledWatchEndsAtOnce) {
  Impostor impostor;
  impostor.does(Impostor::Mode::kStall);
  const auto store = impostor.store();
  auto stalled = store->watch([] {});
  const auto begun = std::chrono::steady_clock::now();
  stalled.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(300));
}

TEST(EtcdGarbageTest, AStopEndsACallThatStalls) {
  Impostor impostor;
  impostor.does(Impostor::Mode::kStall);
  std::stop_source stop;
  const auto store = impostor.store(seconds(30), stop.get_token());
  Lease seen;
  seen.key = *LeaseKey::parse("10.3.1.0-24");
  const std::vector<std::function<int()>> calls{
      [&] { return store->list().error().number; },
      [&] { return store->network_config().error().number; },
      [&] { return store->create(seen.key, {}, seconds(60)).error().number; },
      [&] { return store->expiry(seen).error().number; },
      [&] { return store->remove(seen).error().number; }};
  std::vector<std::future<int>> under_way;
  for (const auto& call : calls) under_way.push_back(std::async(std::launch::async, call));
  stop.request_stop();
  for (auto& outcome : under_way) EXPECT_EQ(outcome.get(), ECANCELED);
}

// A port that takes connections into its backlog and then none any more, so that connecting
// itself hangs.
TEST(EtcdGarbageTest, UnreachableEndpointIsNamedInTime) {
  const auto [listener, address] = test::bind_loopback();
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<Fd> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(fillers.back().get(), reinterpret_cast<const sockaddr*>(&address),
                    sizeof address);
  }
  EtcdOptions options;
  options.endpoints = {"http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
  options.connect_timeout = milliseconds(400);
  const auto store = *EtcdStore::open(options);
  auto begun = std::chrono::steady_clock::now();
  const auto view = store->list();
  ASSERT_FALSE(view);
  EXPECT_NE(view.error().text().find(options.endpoints[0]), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));

  options.connect_timeout = seconds(30);
  const auto patient = *EtcdStore::open(options);
  auto watch = patient->watch([] {});
  EXPECT_FALSE(eventually([&] { return watch->view() != nullptr; }, milliseconds(100)));
  begun = std::chrono::steady_clock::now();
  watch.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1)) << "also while connecting";
}

}  // namespace
}  // namespace weft
