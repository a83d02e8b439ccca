#include "store/lease_table.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

Lease lease(const std::string& name) {
  return {.key = *LeaseKey::parse(name), .attributes = {}, .version = 1};
}

TEST(LeaseTableTest, NoViewBeforeTheFirstCompleteReading) {
  LeaseTable table;
  EXPECT_EQ(table.view(), nullptr);
  ASSERT_FALSE(table.health().get());
  EXPECT_EQ(table.health().get().error().number, EAGAIN);
  table.assign({});
  ASSERT_NE(table.view(), nullptr);
  EXPECT_TRUE(table.view()->leases.empty());
}

TEST(LeaseTableTest, ViewsAreSnapshotsAndMadeOncePerChange) {
  LeaseTable table;
  table.assign({{"10.3.1.0-24", lease("10.3.1.0-24")}, {"x", BrokenLease{"x", "no subnet"}}});
  const auto before = table.view();
  EXPECT_EQ(before, table.view());
  table.edit([](LeaseEntries& entries) { entries.clear(); });
  EXPECT_EQ(before->leases.size(), 1U);
  EXPECT_EQ(before->broken.size(), 1U);
  EXPECT_TRUE(table.view()->leases.empty());
}

TEST(LeaseTableTest, OneNameForOneSubnet) {
  EXPECT_TRUE(parse_lease_name("10.3.1.0-24&fd00::-64"));
  for (const std::string name : {"10.3.1.0-024", "10.3.1.0-24&FD00::-64", "10.3.1.0", ""})
    EXPECT_FALSE(parse_lease_name(name)) << name;
}

}  // namespace
}  // namespace weft
