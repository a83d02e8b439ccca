#include "service/endpoint_choice.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;
using namespace endpoint_marks;

constexpr std::uint8_t kUsable = kReady | kServing;
constexpr std::uint8_t kLeaving = kServing | kTerminating;
constexpr std::uint8_t kZoned = kUsable | kZoneHints;
constexpr std::uint8_t kNoded = kUsable | kNodeHints;

struct Case {
  const char* name;
  std::vector<int> marks;  // of the endpoints 10.0.0.1, .2, ...
  std::string cluster;     // the last numbers of those chosen
  std::string local;
  bool has_any;
};

const Case kCases[] = {
    {"nothing", {}, "", "", false},
    {"ready_ones", {kUsable, kUsable | kLocal}, "1 2", "2", true},
    {"not_ready_ones_are_never_used", {0, kLocal, kServing | kLocal}, "", "", false},
    {"ready_while_terminating_counts_as_ready", {kUsable | kTerminating | kLocal}, "1", "1", true},
    {"those_that_leave_are_not_used_beside_ready_ones", {kUsable, kLeaving}, "1", "", true},
    {"those_that_leave_are_used_where_none_is_ready",
     {0, kLeaving, kLeaving | kLocal},
     "2 3",
     "3",
     true},
    {"those_that_leave_and_no_longer_serve_are_not",
     {kTerminating, kTerminating | kLocal},
     "",
     "",
     false},
    {"the_local_ones_that_leave_are_used_although_others_are_ready",
     {kUsable, kLeaving | kLocal},
     "1",
     "2",
     true},
    {"zone_hints", {kZoned | kForThisZone, kZoned, kZoned | kForThisZone}, "1 3", "", true},
    {"zone_hints_for_other_zones_only", {kZoned, kZoned}, "1 2", "", true},
    {"zone_hints_of_some_only", {kZoned | kForThisZone, kUsable}, "1 2", "", true},
    {"what_is_not_ready_needs_no_hints", {kZoned | kForThisZone, kLeaving, 0}, "1", "", true},
    {"hints_of_what_is_not_ready_do_not_count",
     {kZoned, kServing | kZoneHints | kForThisZone},
     "1",
     "",
     true},
    {"node_hints", {kNoded, kNoded | kForThisNode}, "2", "", true},
    {"node_hints_come_before_zone_hints",
     {kNoded | kZoneHints | kForThisZone, kNoded | kZoneHints | kForThisNode},
     "2",
     "",
     true},
    {"zone_hints_where_no_node_hint_is_for_here",
     {kNoded | kZoneHints | kForThisZone, kNoded | kZoneHints},
     "1",
     "",
     true},
    {"hints_do_not_narrow_those_that_leave",
     {kLeaving | kZoneHints | kForThisZone, kLeaving | kZoneHints},
     "1 2",
     "",
     true},
    {"hints_do_not_narrow_the_local_ones",
     {kZoned | kLocal, kZoned | kForThisZone},
     "2",
     "1",
     true},
};

std::vector<EndpointRecord> endpoints(const std::vector<int>& marks) {
  std::vector<EndpointRecord> all;
  for (const int each : marks)
    all.push_back({.address = IpAddress::v4(0x0a000001 + static_cast<std::uint32_t>(all.size())),
                   .marks = static_cast<std::uint8_t>(each)});
  return all;
}

std::string numbers(const std::vector<EndpointRecord>& endpoints) {
  std::string all;
  for (const auto& each : endpoints)
    all += (all.empty() ? "" : " ") + std::to_string(each.address.v4_number() & 0xffU);
  return all;
}

TEST(EndpointChoice, FollowsConditionsAndHints) {
  for (const auto& each : kCases) {
    SCOPED_TRACE(each.name);
    const auto choice = choose_endpoints(endpoints(each.marks), {.cluster = true, .local = true});
    EXPECT_EQ(numbers(choice.cluster), each.cluster);
    EXPECT_EQ(numbers(choice.local), each.local);
    EXPECT_EQ(choice.has_any, each.has_any);
  }
}

TEST(EndpointChoice, MakesOnlyTheSetsThatAreUsed) {
  const auto all = endpoints({kUsable | kLocal, kUsable});
  EXPECT_TRUE(choose_endpoints(all, {.cluster = true}).local.empty());
  const auto local = choose_endpoints(all, {.cluster = false, .local = true});
  EXPECT_TRUE(local.cluster.empty());
  EXPECT_EQ(numbers(local.local), "1");
  EXPECT_TRUE(choose_endpoints(endpoints({kUsable}), {.cluster = false, .local = true}).has_any);
}

}  // namespace
}  // namespace weft::service
