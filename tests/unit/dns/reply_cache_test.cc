// What is kept of other servers' answers, for how long, and what makes way.
#include "dns/reply_cache.h"

#include <array>

#include <gtest/gtest.h>

#include "dns/bytes.h"
#include "dns/lookup_name.h"
#include "dns/question_key.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using std::chrono::seconds;
using Time = ReplyCache::Time;

constexpr auto kA = RecordType::kA;

// A zone's answers to questions of type A.
class Zone {
 public:
  explicit Zone(const char* name) : name_(*Name::parse(name)) {}

  Zone& address(std::uint32_t ttl, const char* text = "192.0.2.1") {
    return record(Section::kAnswer, name_, kA, ttl, IpAddress::parse(text)->bytes());
  }
  Zone& soa(std::uint32_t ttl, std::uint32_t minimum) {
    std::string data = "\1a" + std::string(1, '\0') + "\1b" + std::string(1, '\0');
    data.resize(data.size() + 20);
    put_number(data.data() + data.size() - 4, minimum);
    return record(Section::kAuthority, Name(), RecordType::kSoa, ttl, data);
  }
  Zone& rcode(Rcode code) {
    rcode_ = code;
    return *this;
  }
  Zone& truncated() {
    truncated_ = true;
    return *this;
  }

  Reply reply() const {
    Reply result;
    const std::string message = test::header({.id = 1,
                                              .is_response = true,
                                              .truncated = truncated_,
                                              .recursion_available = true,
                                              .rcode = rcode_,
                                              .questions = 1,
                                              .answers = counts_[0],
                                              .authorities = counts_[1]}) +
                                test::question(name_.to_string(), kA) + records_;
    EXPECT_TRUE(result.read(message));
    return result;
  }

 private:
  Zone& record(Section section, const Name& owner, RecordType type, std::uint32_t ttl,
               std::string_view data) {
    std::string number(4, '\0');
    put_number(number.data(), ttl);
    records_ += std::string(owner.wire()) + test::word(static_cast<unsigned>(type)) +
                test::word(1) + number + test::word(static_cast<unsigned>(data.size()));
    records_ += data;
    ++counts_[static_cast<unsigned>(section)];
    return *this;
  }

  Name name_;
  Rcode rcode_ = Rcode::kNoError;
  bool truncated_ = false;
  std::string records_;
  std::array<std::uint16_t, 3> counts_{};
};

std::string key_of(const char* name, const QueryFlags& flags = {}, RecordType type = kA) {
  const std::string asked = test::query(name, type);
  const LookupName lookup(read_query(asked).query.name);
  return std::string(QuestionKey(lookup, type, flags).bytes());
}

class ReplyCacheTest : public ::testing::Test {
 protected:
  void keep(const Zone& zone, const char* name = "a.example") {
    cache().keep(key_of(name), zone.reply(), start_);
  }
  ReplyCache& cache() {
    if (cache_ == nullptr) cache_ = std::make_unique<ReplyCache>(options_);
    return *cache_;
  }
  // The answer after so many seconds: "stale", its code, and the TTL of its first record.
  std::string after(int wait, const char* name = "a.example") {
    Reply reply;
    const auto found = cache().find(key_of(name), start_ + seconds(wait), reply);
    if (!found) return "nothing";
    wants_fresh_ = found->wants_fresh;
    std::string text = (found->stale ? "stale " : "") + to_string(reply.rcode());
    std::array<char, kLargestMessage> room;
    const std::string asked = test::query(name, kA);
    const ReceivedQuery query = read_query(asked);
    MessageWriter writer(room, room.size());
    writer.begin(query.query);
    reply.write(writer, found->manner);
    const std::string_view message(room.data(), writer.finish({.is_response = true}));
    auto reader = MessageReader::open(message);
    if (const auto record = reader->next()) text += " " + std::to_string(record->ttl);
    return text;
  }

  CacheOptions options_;
  std::unique_ptr<ReplyCache> cache_;
  const Time start_ = Time::clock::now();
  bool wants_fresh_ = false;
};

TEST_F(ReplyCacheTest, AnAnswerIsKeptForItsTtlWhichRunsDown) {
  keep(Zone("a.example").address(60).address(40));
  EXPECT_EQ(after(0), "NOERROR 60");
  EXPECT_EQ(after(39), "NOERROR 21");
  EXPECT_EQ(after(40), "nothing") << "the shortest of all records ends it";
  EXPECT_EQ(after(0), "nothing") << "what is over is gone";
}

TEST_F(ReplyCacheTest, TtlsAreRaisedAndCut) {
  struct Case {
    std::uint32_t ttl;
    int lives;
    const char* shown;
  };
  options_.success = {.capacity = 100, .longest = seconds(30), .shortest = seconds(5)};
  for (const Case& each :
       {Case{0, 5, "NOERROR 5"}, Case{4, 5, "NOERROR 5"}, Case{20, 20, "NOERROR 20"},
        Case{1000, 30, "NOERROR 30"}, Case{0xffffffff, 5, "NOERROR 5"}}) {
    keep(Zone("a.example").address(each.ttl));
    EXPECT_EQ(after(0), each.shown) << each.ttl;
    EXPECT_NE(after(each.lives - 1), "nothing") << each.ttl;
    EXPECT_EQ(after(each.lives), "nothing") << each.ttl;
  }
  options_.success.shortest = seconds(0);
  cache_.reset();
  keep(Zone("a.example").address(0));
  EXPECT_EQ(after(0), "nothing");
}

TEST_F(ReplyCacheTest, ADenialIsKeptAsLongAsItsSoaSays) {
  options_.denial.longest = seconds(100);
  keep(Zone("a.example").rcode(Rcode::kNameError).soa(50, 20));
  EXPECT_EQ(after(0), "NXDOMAIN 50");
  EXPECT_EQ(after(19), "NXDOMAIN 31");
  EXPECT_EQ(after(20), "nothing") << "RFC 2308: the lesser of TTL and minimum";
  keep(Zone("a.example").soa(20, 50));
  EXPECT_EQ(after(19), "NOERROR 1");
  EXPECT_EQ(after(20), "nothing");
  keep(Zone("a.example").soa(1000, 1000));
  EXPECT_EQ(after(99), "NOERROR 1");
  EXPECT_EQ(after(100), "nothing");
}

TEST_F(ReplyCacheTest, WhatNobodyAnswersForIsNotKept) {
  const std::pair<const char*, Zone> cases[] = {
      {"a denial without a SOA", Zone("a.example").rcode(Rcode::kNameError)},
      {"nothing at all", Zone("a.example")},
      {"half an answer", Zone("a.example").address(60).truncated()},
      {"a refusal", Zone("a.example").rcode(Rcode::kRefused).soa(60, 60)},
      {"a server that cannot", Zone("a.example").rcode(Rcode::kNotImplemented).soa(60, 60)}};
  for (const auto& [what, zone] : cases) {
    keep(zone);
    EXPECT_EQ(after(0), "nothing") << what;
  }
}

TEST_F(ReplyCacheTest, AFailureIsKeptForAMoment) {
  keep(Zone("a.example").rcode(Rcode::kServerFailure));
  EXPECT_EQ(after(4), "SERVFAIL");
  EXPECT_EQ(after(5), "nothing");
  options_.failures = seconds(0);
  cache_.reset();
  keep(Zone("a.example").rcode(Rcode::kServerFailure));
  EXPECT_EQ(after(0), "nothing");
}

TEST_F(ReplyCacheTest, QuestionsAreToldApartByTypeAndFlagsButNotByCase) {
  keep(Zone("a.example").address(60), "A.eXample");
  EXPECT_EQ(after(0, "a.EXAMPLE"), "NOERROR 60");
  Reply reply;
  for (const QueryFlags& flags :
       {QueryFlags{.recursion_desired = false}, QueryFlags{.dnssec_ok = true},
        QueryFlags{.checking_disabled = true}})
    EXPECT_FALSE(cache().find(key_of("a.example", flags), start_, reply));
  EXPECT_FALSE(cache().find(key_of("a.example", {}, RecordType::kAaaa), start_, reply));
}

TEST_F(ReplyCacheTest, ZonesMayBeLeftOut) {
  options_.success.disabled = {*Name::parse("cluster.local")};
  options_.denial.disabled = {*Name::parse("cluster.local"), *Name::parse("b.example")};
  keep(Zone("x.Cluster.local").address(60), "x.cluster.local");
  EXPECT_EQ(after(0, "x.cluster.local"), "nothing");
  keep(Zone("b.example").address(60), "b.example");
  EXPECT_EQ(after(0, "b.example"), "NOERROR 60");
  keep(Zone("b.example").rcode(Rcode::kNameError).soa(60, 60), "b.example");
  EXPECT_EQ(after(0, "b.example"), "NOERROR 60") << "what is not kept replaces nothing";
}

TEST_F(ReplyCacheTest, WhatIsOverIsServedWhileNobodyKnowsBetter) {
  options_.serve_stale = std::chrono::hours(1);
  keep(Zone("a.example").address(60));
  EXPECT_EQ(after(59), "NOERROR 1");
  EXPECT_EQ(after(60), "stale NOERROR 0");
  keep(Zone("a.example").rcode(Rcode::kServerFailure));
  EXPECT_EQ(after(61), "stale NOERROR 0") << "a failure does not replace it";
  EXPECT_EQ(after(60 + 3599), "stale NOERROR 0");
  EXPECT_EQ(after(60 + 3600), "nothing");
  keep(Zone("b.example").rcode(Rcode::kServerFailure), "b.example");
  EXPECT_EQ(after(6, "b.example"), "nothing") << "a failure is never served when it is over";
}

TEST_F(ReplyCacheTest, WhatIsAskedForOftenIsFetchedBeforeItsTime) {
  options_.prefetch = {.amount = 3, .pause = seconds(10), .percentage = 20};
  keep(Zone("a.example").address(100));
  const auto is_fetched = [&](int wait) {
    after(wait);
    return wants_fresh_;
  };
  for (const int wait : {1, 2, 3, 4}) EXPECT_FALSE(is_fetched(wait)) << "it lasts for long";
  EXPECT_FALSE(is_fetched(81)) << "nobody has asked for a while";
  EXPECT_FALSE(is_fetched(82));
  EXPECT_TRUE(is_fetched(83)) << "the third time";
  EXPECT_FALSE(is_fetched(84)) << "once is enough";
  EXPECT_EQ(cache().counts().prefetches, 1U);
  keep(Zone("a.example").address(100));
  EXPECT_FALSE(is_fetched(85)) << "a new one has its own count";
}

TEST_F(ReplyCacheTest, KeepTtlShowsItAsItCame) {
  options_.keep_ttl = true;
  keep(Zone("a.example").address(60));
  EXPECT_EQ(after(59), "NOERROR 60");
  EXPECT_EQ(after(60), "nothing");
}

TEST_F(ReplyCacheTest, ThereAreNeverMoreEntriesThanItsCapacity) {
  options_.success.capacity = 320;
  options_.denial.capacity = 160;
  constexpr int kNames = 3000;
  for (int i = 0; i < kNames; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    keep(Zone(name.c_str()).address(60), name.c_str());
    const std::string none = "no" + std::to_string(i) + ".example";
    keep(Zone(none.c_str()).rcode(Rcode::kNameError).soa(60, 60), none.c_str());
  }
  const ReplyCache::Counts counts = cache().counts();
  EXPECT_LE(counts.entries, 320U);
  EXPECT_GT(counts.entries, 300U);
  EXPECT_LE(counts.denials, 160U);
  EXPECT_GT(counts.denials, 150U);
  EXPECT_EQ(counts.evictions, 2U * kNames - counts.entries - counts.denials);
  EXPECT_EQ(after(0, "n2999.example"), "NOERROR 60") << "the last one is there";
}

TEST_F(ReplyCacheTest, LargeAnswersTakeThePlaceOfManySmallOnes) {
  options_.success.capacity = 320;
  options_.denial.capacity = 0;
  Zone zone("large.example");
  for (int i = 0; i < 1000; ++i) zone.address(60);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "large" + std::to_string(i) + ".example";
    keep(zone, name.c_str());
  }
  EXPECT_LE(cache().counts().bytes, (320U + 16U * 2U) * 1024U + 16U * 100'000U);
  EXPECT_LT(cache().counts().entries, 32U);
}

TEST_F(ReplyCacheTest, CountsWhatItIsAskedFor) {
  options_.serve_stale = seconds(100);
  keep(Zone("a.example").address(60));
  keep(Zone("no.example").rcode(Rcode::kNameError).soa(60, 60), "no.example");
  after(1);
  after(2);
  after(1, "no.example");
  after(1, "b.example");
  after(61);
  const ReplyCache::Counts counts = cache().counts();
  EXPECT_EQ(counts.hits, 2U);
  EXPECT_EQ(counts.denial_hits, 1U);
  EXPECT_EQ(counts.misses, 1U);
  EXPECT_EQ(counts.stale, 1U);
  EXPECT_EQ(counts.entries, 1U);
  EXPECT_EQ(counts.denials, 1U);
}

}  // namespace
}  // namespace weft::dns
