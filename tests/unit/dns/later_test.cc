// Answers that are not there when their query is served.
#include <sys/eventfd.h>

#include <array>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "dns/kubernetes_plugin.h"
#include "dns/query_counts.h"
#include "dns/query_log.h"
#include "dns/responder.h"
#include "support/allocation_count.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::query;
using test::text_of;

// What plugins have asked for, until the test says that it is there.
struct Wishes : ArrivalSource {
  int descriptor() const override { return event.get(); }
  void work(Resumer& resumer) override {
    for (const auto id : std::exchange(waiting, {})) resumer.resume(id, arrival);
  }

  Fd event{::eventfd(0, EFD_CLOEXEC)};
  std::vector<PendingQueries::Id> waiting;
  Arrival arrival;
};

// Answers with the address that has come; `rounds` times it has to be asked for.
class Waiting : public Plugin {
 public:
  Waiting(Wishes& wishes, unsigned rounds) : wishes_(wishes), rounds_(rounds) {}

  Step serve(Exchange& exchange) override {
    if (exchange.passed < rounds_) {
      ++exchange.passed;
      const auto id = exchange.wait();
      if (!id) {
        exchange.fail(Rcode::kServerFailure, ExtendedError::kOther, "full");
        return Step::kReply;
      }
      wishes_.waiting.push_back(*id);
      return Step::kLater;
    }
    EXPECT_NE(exchange.arrival, nullptr);
    exchange.writer.record(Section::kAnswer, exchange.name.wire(), RecordType::kA, 9,
                           [&](RecordData& data) { data.bytes(exchange.arrival->why); });
    return Step::kReply;
  }

 private:
  Wishes& wishes_;
  unsigned rounds_;
};

// Keeps what is sent.
struct Outbox : Replies {
  void send(const Client& client, std::string_view message) override {
    sent.emplace_back(client.port, std::string(message));
  }
  std::vector<std::pair<std::uint16_t, std::string>> sent;
};

class LaterTest : public ::testing::Test {
 protected:
  Responder responder(unsigned rounds, std::uint32_t most = 100) {
    auto wishes = std::make_unique<Wishes>();
    wishes_ = wishes.get();
    ServerBlock block;
    block.zones = {Name()};
    block.plugins.push_back(std::make_unique<Waiting>(*wishes_, rounds));
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(block));
    return {std::move(blocks),
            {.most_pending = most},
            {.arrivals = std::move(wishes), .replies = &outbox_}};
  }
  std::size_t ask(Responder& responder, const std::string& message, std::uint16_t port) {
    return responder.handle(message, {.address = IpAddress::v4(1), .port = port}, room_);
  }
  void arrive(Responder& responder) {
    wishes_->arrival = {.from = wishes_, .why = std::string_view("\xc0\x00\x02\x07", 4)};
    responder.work();
  }

  Wishes* wishes_ = nullptr;
  Outbox outbox_;
  std::array<char, kUdpSize> room_;
};

TEST_F(LaterTest, WhoWaitsIsAnsweredWhenItIsThere) {
  Responder waiting = responder(1);
  EXPECT_EQ(ask(waiting, query("a.example", RecordType::kA, 1), 1001), Handler::kLater);
  EXPECT_EQ(ask(waiting, query("B.example", RecordType::kA, 2), 1002), Handler::kLater);
  EXPECT_TRUE(waiting.owes_answers());
  arrive(waiting);
  EXPECT_FALSE(waiting.owes_answers());
  ASSERT_EQ(outbox_.sent.size(), 2U);
  EXPECT_EQ(outbox_.sent[0].first, 1001);
  EXPECT_EQ(Header::read(outbox_.sent[0].second).id, 1);
  EXPECT_EQ(text_of(outbox_.sent[1].second), "NOERROR\nB.example. 9 IN A 192.0.2.7");
}

TEST_F(LaterTest, APluginMayAskMoreThanOnce) {
  Responder waiting = responder(3);
  EXPECT_EQ(ask(waiting, query("a.example", RecordType::kA), 1001), Handler::kLater);
  arrive(waiting);
  arrive(waiting);
  EXPECT_TRUE(outbox_.sent.empty());
  arrive(waiting);
  ASSERT_EQ(outbox_.sent.size(), 1U);
}

TEST_F(LaterTest, TheTableDoesNotGrow) {
  Responder waiting = responder(1, 3);
  for (std::uint16_t port = 1; port <= 3; ++port)
    EXPECT_EQ(ask(waiting, query("a.example", RecordType::kA), port), Handler::kLater);
  const std::size_t size = ask(waiting, query("a.example", RecordType::kA), 4);
  EXPECT_EQ(text_of({room_.data(), size}), "SERVFAIL");
  arrive(waiting);
  EXPECT_EQ(ask(waiting, query("a.example", RecordType::kA), 5), Handler::kLater)
      << "places are used again";
  arrive(waiting);
  EXPECT_EQ(outbox_.sent.size(), 4U);
}

TEST_F(LaterTest, NeitherWaitingNorAClustersNameAllocates) {
  Responder waiting = responder(1);
  const std::string asked = query("a.example", RecordType::kA);
  EXPECT_EQ(ask(waiting, asked, 1001), Handler::kLater);  // as much room as is ever needed
  arrive(waiting);
  wishes_->waiting.reserve(1);
  std::size_t before = weft::test::allocation_count();
  EXPECT_EQ(ask(waiting, asked, 1001), Handler::kLater);
  EXPECT_EQ(weft::test::allocation_count(), before);

  ZoneBuilder builder(test::zone_options());
  builder.put(test::cluster_service("default", "kubernetes", {"10.96.0.1"}));
  const Published<ClusterZone> zones(builder.zone(1));
  ServerBlock block;
  block.zones = {Name()};
  block.plugins.push_back(std::make_unique<KubernetesPlugin>(zones, Fallthrough{}));
  block.observers.push_back(std::make_unique<CountingObserver>(std::make_shared<QueryCounts>()));
  block.observers.push_back(std::make_unique<ErrorsObserver>());
  std::vector<ServerBlock> blocks;
  blocks.push_back(std::move(block));
  Responder cluster(std::move(blocks), {});
  const std::string name = query("kubernetes.default.svc.cluster.local", RecordType::kA);
  ask(cluster, name, 1);  // takes the snapshot
  before = weft::test::allocation_count();
  for (std::uint16_t port = 1; port < 100; ++port) EXPECT_GT(ask(cluster, name, port), 0U);
  EXPECT_EQ(weft::test::allocation_count(), before);
}

}  // namespace
}  // namespace weft::dns
