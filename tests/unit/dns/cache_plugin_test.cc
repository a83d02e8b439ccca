// The cache in front of scripted servers.
#include <atomic>

#include <gtest/gtest.h>

#include "unit/dns/forwarding.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;
using test::always;
using test::answer_to;
using test::code;
using test::text_of;
using weft::test::DnsUpstream;

constexpr const char* kOne = "NOERROR\nwww.example. 60 IN A 192.0.2.1";

class CachePluginTest : public test::Forwarding {
 protected:
  void cache_with(CacheOptions options) { cache_ = std::make_shared<ReplyCache>(options); }
  // Text of an extended error in the last answer.
  bool explains(const char* text) const { return last_.find(text) != std::string::npos; }
};

TEST_F(CachePluginTest, ASecondQuestionAsksNobody) {
  const DnsUpstream upstream(always("192.0.2.1"));
  cache_with({});
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask("WWW.eXample"), "NOERROR\nWWW.eXample. 60 IN A 192.0.2.1") << "in its own case";
  EXPECT_EQ(upstream.over_udp(), 1U);
  EXPECT_EQ(ask("other.example"), "NOERROR\nother.example. 60 IN A 192.0.2.1");
  EXPECT_EQ(upstream.over_udp(), 2U);
}

TEST_F(CachePluginTest, TheFirstAnswerIsCutAsThoseThatFollow) {
  const DnsUpstream upstream(always("192.0.2.1"));
  CacheOptions options;
  options.success.longest = std::chrono::seconds(20);
  options.success.disabled = {*Name::parse("whole.example")};
  cache_with(options);
  start({&upstream});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(), "NOERROR\nwww.example. 20 IN A 192.0.2.1");
    EXPECT_EQ(ask("whole.example"), "NOERROR\nwhole.example. 60 IN A 192.0.2.1");
  }
  EXPECT_EQ(upstream.over_udp(), 3U);
}

TEST_F(CachePluginTest, AFailureIsNotAskedForAgainAtOnce) {
  const DnsUpstream upstream(code(Rcode::kServerFailure));
  cache_with({});
  start({&upstream});
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_EQ(ask(), "SERVFAIL");
  EXPECT_EQ(upstream.over_udp(), 1U);
}

// An answer that lives for a moment, from a server that then fails.
class StaleTest : public CachePluginTest {
 protected:
  void start_short_lived(bool verify) {
    CacheOptions options{.serve_stale = std::chrono::hours(1), .verify_stale = verify};
    options.success.shortest = std::chrono::seconds(0);
    options.success.longest = std::chrono::seconds(1);
    cache_with(options);
    start({&upstream_}, {.budget = milliseconds(300)});
    EXPECT_EQ(ask(), "NOERROR\nwww.example. 1 IN A 192.0.2.1");
    std::this_thread::sleep_for(milliseconds(1'001));  // no clock of the test's own is in between
  }

  std::atomic<bool> fails_{false};
  std::atomic<bool> is_silent_{false};
  std::atomic<int> last_byte_{1};
  DnsUpstream upstream_{[this](std::string_view asked, bool) -> std::optional<std::string> {
    if (is_silent_) return std::nullopt;
    return answer_to(asked, "192.0.2." + std::to_string(last_byte_),
                     fails_ ? Rcode::kServerFailure : Rcode::kNoError);
  }};
};

constexpr const char* kStale = "NOERROR\nwww.example. 0 IN A 192.0.2.1";

TEST_F(StaleTest, WhatIsOverIsServedAtOnceAndFetchedAnew) {
  start_short_lived(false);
  last_byte_ = 2;
  EXPECT_EQ(ask(), kStale);
  EXPECT_TRUE(explains("no upstream could be asked in time")) << last_;
  EXPECT_TRUE(work_until([&] { return ask() == "NOERROR\nwww.example. 1 IN A 192.0.2.2"; }));
}

TEST_F(StaleTest, OrOnlyWhenNobodyKnowsBetter) {
  start_short_lived(true);
  last_byte_ = 2;
  EXPECT_EQ(ask(), "NOERROR\nwww.example. 1 IN A 192.0.2.2");
}

TEST_F(StaleTest, AFailureOrSilenceIsWorseThanAStaleAnswer) {
  start_short_lived(true);
  fails_ = true;
  EXPECT_EQ(ask(), kStale);
  is_silent_ = true;
  EXPECT_EQ(ask(), kStale);
}

TEST_F(CachePluginTest, WhatIsPopularNeverRunsOut) {
  std::atomic<int> asked_for{0};
  const DnsUpstream upstream([&](std::string_view asked, bool) {
    ++asked_for;
    return answer_to(asked, "192.0.2.1");
  });
  CacheOptions options{.prefetch = {.amount = 2, .percentage = 100}};
  cache_with(options);
  start({&upstream});
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask(), kOne);
  EXPECT_EQ(ask(), kOne);
  EXPECT_TRUE(work_until([&] { return asked_for == 2 && inquiries_->size() == 0; }));
}

TEST_F(CachePluginTest, ZonesOfNoForwardAreNotItsBusiness) {
  const DnsUpstream upstream(always("192.0.2.1"));
  cache_with({});
  options_.from = *Name::parse("example");
  start({&upstream});
  EXPECT_EQ(ask("www.other"), "SERVFAIL");
  EXPECT_EQ(cache_->counts().misses, 0U);
}

// EdnsOption::kSource: told to who asks, and to nobody else.
TEST_F(CachePluginTest, AnAnswerSaysWhereItComesFrom) {
  const DnsUpstream upstream(always("192.0.2.1"));
  CacheOptions options;
  options.serve_stale = std::chrono::hours(1);
  cache_with(options);
  start({&upstream});
  const auto source = [&] {
    outbox_.sent.clear();
    const std::size_t size = send(test::source_query("www.example", RecordType::kA), 9);
    if (size != Handler::kLater) return test::source_of({room_.data(), size}).value_or("");
    EXPECT_TRUE(work_until(1));
    return test::source_of(outbox_.sent.at(0).second).value_or("");
  };
  const std::string first = source();
  const std::string stem = "upstream 127.0.0.1:" + std::to_string(upstream.address().port) + " in ";
  EXPECT_EQ(first.substr(0, stem.size()), stem);
  EXPECT_TRUE(first.ends_with(" ms")) << first;
  EXPECT_EQ(source(), "cache, 0 s old");
  const std::size_t size = send(test::edns_query("www.example", RecordType::kA), 9);
  EXPECT_EQ(test::source_of({room_.data(), size}), std::nullopt);
}

}  // namespace
}  // namespace weft::dns
