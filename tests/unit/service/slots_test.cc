#include "service/slots.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace weft::service {
namespace {

std::vector<EndpointRecord> endpoints(const std::vector<int>& numbers) {
  std::vector<EndpointRecord> all;
  for (const int number : numbers)
    all.push_back({.address = IpAddress::v4(static_cast<std::uint32_t>(number)), .port = 80});
  return all;
}

TEST(Slots, WhatStaysKeepsItsSlot) {
  struct Case {
    const char* name;
    std::vector<int> former, wanted, expected;
  };
  const Case cases[] = {
      {"at_first_in_order", {}, {3, 1, 2}, {1, 2, 3}},
      {"nothing_left", {1, 2}, {}, {}},
      {"the_same", {3, 1, 2}, {1, 2, 3}, {3, 1, 2}},
      {"a_new_one_comes_last", {3, 1}, {1, 2, 3}, {3, 1, 2}},
      {"the_last_one_fills_the_hole", {3, 1, 2}, {1, 2}, {2, 1}},
      {"the_last_one_goes", {3, 1, 2}, {1, 3}, {3, 1}},
      {"a_new_one_takes_the_place_of_one_that_went", {3, 1, 2}, {2, 3, 4}, {3, 4, 2}},
      {"all_are_new", {1, 2}, {3, 4}, {3, 4}},
      {"a_former_one_twice", {1, 1, 2}, {1, 2, 3}, {1, 3, 2}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(arrange(endpoints(each.former), endpoints(each.wanted)), endpoints(each.expected));
  }
}

TEST(Slots, AnEndpointThatComesOrGoesMovesOneOther) {
  std::mt19937 random(7);
  std::vector<int> numbers;
  std::vector<EndpointRecord> slots;
  for (int i = 0; i < 500; ++i) {
    const bool comes = numbers.empty() || random() % 2 == 0;
    if (comes)
      numbers.push_back(i);
    else
      numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(random() % numbers.size()));
    auto next = arrange(slots, endpoints(numbers));
    ASSERT_EQ(next.size(), numbers.size());
    const std::size_t shared = std::min(slots.size(), next.size());
    std::size_t moved = 0;
    for (std::size_t slot = 0; slot < shared; ++slot) moved += slots[slot] == next[slot] ? 0 : 1;
    EXPECT_LE(moved, comes ? 0U : 1U);
    slots = std::move(next);
    auto sorted = slots;
    std::sort(sorted.begin(), sorted.end(), before_in_place);
    EXPECT_EQ(sorted, endpoints([&] {
                auto ordered = numbers;
                std::sort(ordered.begin(), ordered.end());
                return ordered;
              }()));
  }
}

TEST(Slots, TakesTheNewMarks) {
  auto former = endpoints({1, 2});
  auto wanted = endpoints({2, 1});
  wanted[1].marks = endpoint_marks::kReady;
  EXPECT_EQ(arrange(former, wanted)[0].marks, endpoint_marks::kReady);
}

}  // namespace
}  // namespace weft::service
