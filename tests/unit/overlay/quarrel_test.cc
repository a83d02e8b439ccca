#include "overlay/quarrel.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = Quarrel::Verdict;

// The verdict on the last of so many repairs at this distance.
Verdict after(int repairs, milliseconds distance) {
  Quarrel quarrel;
  Quarrel::Time now{seconds(1000)};
  Verdict verdict = Verdict::kRepair;
  for (int i = 0; i < repairs; ++i) verdict = quarrel.repaired(now += distance);
  return verdict;
}

TEST(QuarrelTest, OpensWithTheFiftiethRepairInSuccession) {
  EXPECT_EQ(after(49, milliseconds(30)), Verdict::kRepair);
  EXPECT_EQ(after(50, milliseconds(30)), Verdict::kOpens);
  EXPECT_EQ(after(51, milliseconds(30)), Verdict::kGoesOn);
}

TEST(QuarrelTest, RepairsFarApartAreNone) {
  EXPECT_EQ(after(1000, seconds(3)), Verdict::kRepair);
}

TEST(QuarrelTest, ItsOwnRestDoesNotEndItButCalmDoes) {
  Quarrel quarrel;
  Quarrel::Time now{seconds(1000)};
  Verdict verdict = Verdict::kRepair;
  for (int i = 0; i < 50; ++i) verdict = quarrel.repaired(now);
  for (int i = 0; i < 5; ++i) {
    ASSERT_GT(Quarrel::rest(verdict), milliseconds(0));
    verdict = quarrel.repaired(now += Quarrel::rest(verdict));
    EXPECT_EQ(verdict, Verdict::kGoesOn);
  }
  verdict = quarrel.repaired(now += seconds(3));
  EXPECT_EQ(verdict, Verdict::kRepair);
  EXPECT_EQ(Quarrel::rest(verdict), milliseconds(0));
}

}  // namespace
}  // namespace weft::overlay
