// Forwarding, to scripted servers on the loopback device.
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/certificates.h"
#include "support/eventually.h"
#include "support/temp_dir.h"
#include "unit/dns/forwarding.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;
using test::always;
using test::answer_to;
using test::code;
using test::query;
using test::silence;
using test::text_of;
using weft::test::DnsUpstream;
using weft::test::must;
using Clock = std::chrono::steady_clock;

class ForwardTest : public test::Forwarding {};

constexpr const char* kOne = "NOERROR\nwww.example. 60 IN A 192.0.2.1";

TEST_F(ForwardTest, AnUpstreamsAnswerIsTheClients) {
  const DnsUpstream upstream(always("192.0.2.1"));
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_FALSE(responder_->owes_answers());
  const DnsUpstream denying(code(Rcode::kNameError));
  start({&denying});
  EXPECT_EQ(ask(), "NXDOMAIN");
}

TEST_F(ForwardTest, ThoseWhoAskTheSameWaitForOneAnswer) {
  const DnsUpstream upstream(always("192.0.2.1"));
  start({&upstream});
  EXPECT_EQ(send(query("www.example", RecordType::kA, 1), 1), Handler::kLater);
  EXPECT_EQ(send(query("WWW.example", RecordType::kA, 2), 2), Handler::kLater);
  EXPECT_EQ(send(query("www.example", RecordType::kAaaa, 3), 3), Handler::kLater);
  ASSERT_TRUE(work_until(3));
  EXPECT_EQ(upstream.over_udp(), 2U);
  for (const auto& [port, message] : outbox_.sent) EXPECT_EQ(Header::read(message).id, port);
}

TEST_F(ForwardTest, ASilentUpstreamIsHedgedAndThenLeftAlone) {
  std::vector<std::string> asked_of_silent;
  std::mutex mutex;
  const DnsUpstream silent([&](std::string_view asked, bool) -> std::optional<std::string> {
    const std::lock_guard lock(mutex);
    asked_of_silent.emplace_back(read_query(asked).query.name);
    return std::nullopt;
  });
  const DnsUpstream upstream(always("192.0.2.1"));
  start({&silent, &upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_TRUE(ask("second.example").starts_with("NOERROR"));
  EXPECT_TRUE(ask("third.example").starts_with("NOERROR"));
  const std::lock_guard lock(mutex);
  const auto is_asked = [&](const char* name) {
    const std::string wire(Name::parse(name)->wire());
    return std::find(asked_of_silent.begin(), asked_of_silent.end(), wire) != asked_of_silent.end();
  };
  EXPECT_TRUE(is_asked("www.example"));
  EXPECT_FALSE(is_asked("third.example")) << "it has failed twice";
}

TEST_F(ForwardTest, WhoRefusesConnectionsCostsNoTime) {
  std::optional<DnsUpstream> gone(std::in_place, silence);
  const DnsUpstream upstream(always("192.0.2.1"));
  const std::vector<Upstream> list{{.address = gone->address()}, {.address = upstream.address()}};
  gone.reset();
  start_with(list);
  const auto begun = Clock::now();
  EXPECT_EQ(ask(), kOne);
  EXPECT_LT(Clock::now() - begun, milliseconds(300));
}

TEST_F(ForwardTest, WithoutAnyAnswerTheClientHearsWhy) {
  const DnsUpstream silent(silence);
  start({&silent}, {.budget = milliseconds(300)});
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_NE(last_.find("no answer from 127.0.0.1:"), std::string::npos);
  start_with({});
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_NE(last_.find("there is no upstream"), std::string::npos);
}

TEST_F(ForwardTest, AQueryThatWasLostIsSentAgain) {
  std::atomic<int> seen{0};
  const DnsUpstream forgetful([&](std::string_view asked, bool) -> std::optional<std::string> {
    if (++seen == 1) return std::nullopt;
    return answer_to(asked, "192.0.2.1");
  });
  start({&forgetful});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(seen, 2);
}

TEST_F(ForwardTest, WhatWasCutIsAskedForOverTcp) {
  const auto cut = [](std::string_view asked, bool over_tcp) -> std::optional<std::string> {
    if (over_tcp) return answer_to(asked, "192.0.2.1");
    std::string reply = answer_to(asked, "192.0.2.9");
    reply[2] = static_cast<char>(reply[2] | 2);  // TC
    return reply;
  };
  const DnsUpstream upstream(cut);
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  const DnsUpstream without_tcp(cut, false);
  start({&without_tcp});
  EXPECT_EQ(ask(), "NOERROR tc\nwww.example. 60 IN A 192.0.2.9");
}

TEST_F(ForwardTest, TcpIsTakenAsTheClientDoesOrTheOptionsSay) {
  const DnsUpstream upstream(always("192.0.2.1"));
  start({&upstream});
  EXPECT_EQ(ask("www.example", true), kOne);
  EXPECT_EQ(upstream.over_tcp(), 1U);
  options_.prefer_udp = true;
  start({&upstream});
  EXPECT_EQ(ask("www.example", true), kOne);
  EXPECT_EQ(upstream.over_udp(), 1U);
  options_.force_tcp = true;
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(upstream.over_tcp(), 2U);
  const DnsUpstream without_tcp(always("192.0.2.1"), false);
  start({&without_tcp}, {.budget = milliseconds(300)});
  EXPECT_EQ(ask(), "SERVFAIL") << "over TCP and no other way";
  options_ = {};
  start({&without_tcp});
  EXPECT_EQ(ask("www.example", true), kOne) << "TCP is refused, UDP is not";
}

TEST_F(ForwardTest, ManyQuestionsShareAConnection) {
  const DnsUpstream upstream(always("192.0.2.1"));
  options_.force_tcp = true;
  start({&upstream});
  for (std::uint16_t i = 1; i <= 200; ++i)
    EXPECT_EQ(send(query("n" + std::to_string(i) + ".example", RecordType::kA, i), i),
              Handler::kLater);
  ASSERT_TRUE(work_until(200));
  for (const auto& [port, message] : outbox_.sent)
    EXPECT_TRUE(text_of(message).starts_with("NOERROR\nn" + std::to_string(port) + "."));
}

TEST_F(ForwardTest, LiesAreNotBelieved) {
  const auto liar = [](const std::function<void(std::string&)>& lie) {
    return [lie](std::string_view asked, bool) -> std::optional<std::string> {
      std::string reply = answer_to(asked, "203.0.113.66");
      lie(reply);
      return reply;
    };
  };
  const DnsUpstream upstream(always("192.0.2.1"));
  const std::function<void(std::string&)> lies[] = {
      [](std::string& reply) { reply[0] = static_cast<char>(reply[0] + 1); },    // another id
      [](std::string& reply) { reply[13] = 'x'; },                               // another name
      [](std::string& reply) { reply[12 + 13 + 1] = '\x1c'; },                   // another type
      [](std::string& reply) { reply.resize(reply.size() - 3); },                // half of it
      [](std::string& reply) { reply[2] = static_cast<char>(reply[2] & 0x7f); }  // no response
  };
  for (const auto& lie : lies) {
    const DnsUpstream lying(liar(lie));
    start({&lying, &upstream});
    EXPECT_EQ(ask(), kOne);
  }
}

TEST_F(ForwardTest, PortsAndIdsAreNotThoseOfBefore) {
  std::vector<std::uint16_t> ids;
  std::mutex mutex;
  const DnsUpstream upstream([&](std::string_view asked, bool) {
    const std::lock_guard lock(mutex);
    ids.push_back(Header::read(asked).id);
    return answer_to(asked, "192.0.2.1");
  });
  start({&upstream});
  constexpr std::size_t kQueries = 400;
  for (std::size_t i = 0; i < kQueries; ++i)
    ASSERT_TRUE(ask(("n" + std::to_string(i) + ".example").c_str()).starts_with("NOERROR"));
  const auto ports = upstream.client_ports();
  EXPECT_GE(std::set(ports.begin(), ports.end()).size(), kQueries / 32);
  const std::lock_guard lock(mutex);
  EXPECT_GE(std::set(ids.begin(), ids.end()).size(), kQueries - 20);
}

TEST_F(ForwardTest, AFailureMayBeAnothersToMend) {
  const DnsUpstream failing(code(Rcode::kServerFailure));
  const DnsUpstream denying(code(Rcode::kNameError));
  const DnsUpstream upstream(always("192.0.2.1"));
  start({&failing, &upstream});
  EXPECT_EQ(ask(), "SERVFAIL");
  options_.failover = {Rcode::kServerFailure};
  start({&failing, &upstream});
  EXPECT_EQ(ask(), kOne);
  start({&failing, &failing});
  EXPECT_EQ(ask(), "SERVFAIL") << "when all fail";
  options_ = {};
  options_.next = {Rcode::kNameError};
  second_ = {{.address = upstream.address()}};
  start({&denying});
  EXPECT_EQ(ask(), kOne) << "of the next forward";
}

TEST_F(ForwardTest, OnlyItsZoneIsForwarded) {
  const DnsUpstream upstream(always("192.0.2.1"));
  options_.from = *Name::parse("example");
  options_.except = {*Name::parse("not.example")};
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask("www.NOT.example"), "SERVFAIL");
  EXPECT_EQ(ask("www.other"), "SERVFAIL");
  EXPECT_EQ(upstream.over_udp(), 1U);
}

TEST_F(ForwardTest, AStormTakesNoMoreThanItsPlaces) {
  const DnsUpstream silent(silence);
  start({&silent}, {.inquiries = 20, .waiting = 30, .budget = milliseconds(400)});
  constexpr std::uint16_t kClients = 500;
  std::size_t refused = 0;
  for (std::uint16_t i = 1; i <= kClients; ++i)
    if (send(query("n" + std::to_string(i) + ".example", RecordType::kA, i), i) != Handler::kLater)
      ++refused;
  EXPECT_LE(inquiries_->size(), 23U);
  EXPECT_GT(refused, 400U);
  ASSERT_TRUE(work_until(kClients - refused));
  EXPECT_EQ(inquiries_->size(), 0U);
  for (const auto& [port, message] : outbox_.sent) EXPECT_EQ(text_of(message), "SERVFAIL");
  // It is over: the next one is asked as ever.
  EXPECT_EQ(send(query("after.example", RecordType::kA), 9), Handler::kLater);
}

TEST_F(ForwardTest, MaxConcurrentRefusesTheRest) {
  const DnsUpstream silent(silence);
  options_.max_concurrent = 2;
  start({&silent}, {.budget = milliseconds(300)});
  EXPECT_EQ(send(query("a.example", RecordType::kA), 1), Handler::kLater);
  EXPECT_EQ(send(query("b.example", RecordType::kA), 2), Handler::kLater);
  EXPECT_EQ(ask("c.example"), "REFUSED");
  ASSERT_TRUE(work_until(2));
}

TEST_F(ForwardTest, WhoIsDownIsTakenBackWhenItAnswersHealthChecks) {
  std::atomic<bool> is_up{false};
  const DnsUpstream shaky([&](std::string_view asked, bool) -> std::optional<std::string> {
    if (!is_up) return std::nullopt;
    return answer_to(asked, "192.0.2.7");
  });
  options_.max_fails = 1;
  options_.health_check = milliseconds(50);
  start({&shaky}, {.budget = milliseconds(200)});
  EXPECT_EQ(ask(), "SERVFAIL");
  const unsigned before = shaky.over_udp();
  EXPECT_TRUE(work_until([&] { return shaky.over_udp() > before + 2; })) << "it is looked after";
  is_up = true;
  EXPECT_TRUE(work_until([&] { return ask() == "NOERROR\nwww.example. 60 IN A 192.0.2.7"; }));
}

TEST_F(ForwardTest, WithFailfastNobodyIsAskedInVain) {
  const DnsUpstream silent(silence);
  options_.max_fails = 1;
  options_.failfast = true;
  options_.health_check = milliseconds(60'000);
  start({&silent}, {.budget = milliseconds(200)});
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_NE(last_.find("no upstream is healthy"), std::string::npos);
}

TEST_F(ForwardTest, AQueryFromOneOfItsOwnPortsIsALoop) {
  const DnsUpstream silent(silence);
  start({&silent}, {.budget = milliseconds(500)});
  EXPECT_EQ(send(query("www.example", RecordType::kA), 1), Handler::kLater);
  ASSERT_TRUE(weft::test::eventually([&] { return !silent.client_ports().empty(); }));
  const Client itself{.address = *IpAddress::parse("127.0.0.1"), .port = silent.client_ports()[0]};
  const std::string asked = test::edns_query("www.example", RecordType::kA);
  const std::size_t size = responder_->handle(asked, itself, room_);
  ASSERT_NE(size, Handler::kLater);
  EXPECT_EQ(text_of({room_.data(), size}), "SERVFAIL");
  EXPECT_NE(std::string(room_.data(), size).find("a loop"), std::string::npos);
  ASSERT_TRUE(work_until(1));
}

// Through a server in between, which asks from ports of its own.
TEST_F(ForwardTest, AnUpstreamThatLeadsBackIsFoundOutAndLeftAlone) {
  std::string came_back;
  std::mutex mutex;
  const DnsUpstream roundabout([&](std::string_view asked, bool) -> std::optional<std::string> {
    const std::lock_guard lock(mutex);
    came_back = asked;
    return std::nullopt;
  });
  start_with({{.address = roundabout.address()}}, {.budget = milliseconds(300)}, nullptr, true);
  ASSERT_TRUE(work_until([&] {
    const std::lock_guard lock(mutex);
    return !came_back.empty();
  }));
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(send(came_back, 4444), 0U) << "its answer would go round again";
  }
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_NE(last_.find("leads back to this server"), std::string::npos);
}

TEST_F(ForwardTest, NothingIsOpenAfterAWhileOfRest) {
  const DnsUpstream upstream(always("192.0.2.1"));
  options_.expire = milliseconds(100);
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask("www.example", true), kOne);
  EXPECT_TRUE(work_until([&] {
    for (const std::uint16_t port : upstream.client_ports())
      if (own_.contains({.address = *IpAddress::parse("127.0.0.1"), .port = port})) return false;
    return true;
  }));
}

}  // namespace
}  // namespace weft::dns
