#include "service/front_claims.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

const FrontKey kFront{.address = test::ip("198.51.100.1"), .port = 80};
const ServiceName kA{"shop", "a"};
const ServiceName kB{"shop", "b"};
const ServiceName kC{"shop", "c"};

Claimant claimant(const ServiceName& name, int created = 0) {
  return {.created = UnixSeconds(std::chrono::seconds(created)), .name = &name};
}

TEST(FrontClaims, TheOldestHasAFrontAndThenTheFirstByName) {
  FrontClaims claims;
  EXPECT_EQ(claims.owner(kFront), nullptr);
  claims.claim(claimant(kB, 5), kFront);
  claims.claim(claimant(kC, 5), kFront);
  EXPECT_EQ(claims.owner(kFront), &kB);
  EXPECT_EQ(claims.heir(kFront), &kC);
  claims.claim(claimant(kA, 5), kFront);
  EXPECT_EQ(claims.owner(kFront), &kA);
  EXPECT_EQ(claims.heir(kFront), &kB);
  claims.release(claimant(kA, 5), kFront);
  EXPECT_EQ(claims.owner(kFront), &kB);
  claims.release(claimant(kC, 5), kFront);
  EXPECT_EQ(claims.heir(kFront), nullptr);
  claims.release(claimant(kB, 5), kFront);
  EXPECT_EQ(claims.owner(kFront), nullptr);
}

TEST(FrontClaims, AYoungerOneWaits) {
  FrontClaims claims;
  claims.claim(claimant(kB, 1), kFront);
  claims.claim(claimant(kA, 2), kFront);
  EXPECT_EQ(claims.owner(kFront), &kB);
  claims.release(claimant(kB, 1), kFront);
  EXPECT_EQ(claims.owner(kFront), &kA);
}

TEST(FrontClaims, FrontsDifferInAddressPortAndProtocol) {
  FrontClaims claims;
  claims.claim(claimant(kA), kFront);
  FrontKey other = kFront;
  other.protocol = ServiceProtocol::kUdp;
  EXPECT_EQ(claims.owner(other), nullptr);
  other = kFront;
  other.port = 81;
  EXPECT_EQ(claims.owner(other), nullptr);
  other = kFront;
  other.address = test::ip("198.51.100.2");
  EXPECT_EQ(claims.owner(other), nullptr);
}

TEST(FrontClaims, WhatWasNotClaimedIsReleasedAlready) {
  FrontClaims claims;
  claims.release(claimant(kA), kFront);
  claims.claim(claimant(kA), kFront);
  claims.release(claimant(kB), kFront);
  EXPECT_EQ(claims.owner(kFront), &kA);
  claims.claim(claimant(kC), kFront);
  claims.release(claimant(kB), kFront);
  EXPECT_EQ(claims.heir(kFront), &kC);
}

}  // namespace
}  // namespace weft::service
