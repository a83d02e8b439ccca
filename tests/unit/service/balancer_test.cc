#include "service/relay/balancer.h"

#include <set>

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;
using std::chrono::seconds;

const Place kOne{ip("10.0.0.1"), 80};
const Place kTwo{ip("10.0.0.2"), 80};
const Place kThree{ip("10.0.0.3"), 80};
const IpAddress kAlice = ip("192.0.2.1");
const IpAddress kBob = ip("192.0.2.2");

class BalancerTest : public testing::Test {
 protected:
  Place pick(const IpAddress& client = kAlice) { return balancer_.pick(client, now_).value(); }
  Balancer balancer_{1};
  Balancer::Time now_{};
};

TEST_F(BalancerTest, EndpointsTakeTurns) {
  EXPECT_FALSE(balancer_.pick(kAlice, now_));
  balancer_.set({kThree, kOne, kTwo}, seconds(0));
  const std::vector<Place> round{pick(), pick(), pick()};
  EXPECT_EQ(std::set<Place>(round.begin(), round.end()), (std::set<Place>{kOne, kTwo, kThree}));
  for (const Place& place : round) EXPECT_EQ(pick(), place);
  // The same ones in another order are no news.
  pick();
  balancer_.set({kOne, kTwo, kThree}, seconds(0));
  EXPECT_EQ(pick(), round[1]);
  EXPECT_TRUE(balancer_.has(kTwo));
  balancer_.set({kOne}, seconds(0));
  EXPECT_FALSE(balancer_.has(kTwo));
  EXPECT_EQ(pick(), kOne);
}

TEST_F(BalancerTest, TwoNodesDoNotBeginWithTheSameEndpoint) {
  std::vector<Place> many;
  for (int i = 1; i < 50; ++i) many.push_back({ip("10.0.0." + std::to_string(i)), 80});
  std::set<Place> first;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    Balancer balancer(seed);
    balancer.set(many, seconds(0));
    first.insert(*balancer.pick(kAlice, now_));
  }
  EXPECT_GT(first.size(), 3U);
}

TEST_F(BalancerTest, AClientKeepsItsEndpointWhileItIsSeen) {
  balancer_.set({kOne, kTwo}, seconds(10));
  const Place alices = pick();
  EXPECT_NE(pick(kBob), alices);
  for (int i = 0; i < 5; ++i) {
    now_ += seconds(9);
    EXPECT_EQ(pick(), alices);
  }
  // Who is silent for long enough is served in turn, and two endpoints take turns.
  now_ += seconds(10);
  std::set<Place> seen{pick()};
  now_ += seconds(10);
  seen.insert(pick());
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(BalancerTest, AClientIsFreeWhenItsEndpointGoesOrDoesNotAnswer) {
  balancer_.set({kOne, kTwo}, seconds(10));
  const Place alices = pick();
  const Place other = alices == kOne ? kTwo : kOne;
  balancer_.release(kAlice);
  EXPECT_EQ(pick(), other);
  balancer_.set({alices}, seconds(10));
  EXPECT_EQ(balancer_.clients(), 0U);
  EXPECT_EQ(pick(), alices);
  balancer_.set({kOne, kTwo}, seconds(0));
  EXPECT_EQ(balancer_.clients(), 0U);
}

TEST_F(BalancerTest, NotEverybodyIsRemembered) {
  balancer_.set({kOne, kTwo}, seconds(10));
  for (std::uint32_t i = 0; i < Balancer::kMostClients + 100; ++i)
    balancer_.pick(IpAddress::v4(0x0a000000 + i), now_);
  EXPECT_EQ(balancer_.clients(), Balancer::kMostClients);
  now_ += seconds(11);
  balancer_.pick(kAlice, now_);
  EXPECT_EQ(balancer_.clients(), 1U);
}

}  // namespace
}  // namespace weft::service
