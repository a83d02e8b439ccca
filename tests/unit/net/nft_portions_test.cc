#include "net/nft_portions.h"

#include <random>

#include <gtest/gtest.h>

#include "model_kernel.h"
#include "net/nft_rules.h"

namespace weft::nft {
namespace {

using test::ModelKernel;

constexpr std::size_t kEach = 10;

Element element(std::uint32_t key, std::uint32_t data) {
  return {.key = host_order(key), .data = host_order(data)};
}

// A map with these elements, which the chain of a hook and one behind it look at.
TableContents table(std::vector<Element> elements, std::uint32_t mark = 1) {
  TableContents contents{.table = {.id = {TableFamily::kIp, "t"}}};
  const auto rule = [&](std::uint32_t value) {
    return RuleWriter(TableFamily::kIp).mark_is(value).accept().rule();
  };
  contents.add(Chain{.name = "behind"}, {rule(mark)});
  contents.add(Chain{.name = "base", .hook = Hook{}}, {rule(mark), rule(mark + 1)});
  contents.add(Set{.name = "m",
                   .flags = set_flags::kMap,
                   .key_length = 4,
                   .data_length = 4,
                   .elements = std::move(elements)});
  return contents;
}

std::vector<Element> many(std::uint32_t count, std::uint32_t data = 0) {
  std::vector<Element> elements;
  for (std::uint32_t i = 0; i < count; ++i) elements.push_back(element(i, data));
  return elements;
}

std::vector<std::string> words(const std::vector<std::vector<TableEdit>>& portions) {
  std::vector<std::string> all;
  for (const auto& portion : portions) {
    std::string line;
    for (const auto& edit : portion) line += (line.empty() ? "" : ", ") + describe(edit);
    all.push_back(line);
  }
  return all;
}

using Words = std::vector<std::string>;

TEST(NftPortions, FewElementsAreOnePortionAndNothingIsNone) {
  EXPECT_TRUE(in_portions({}, kEach).empty());
  const auto edits = plan_table(table(many(10)), std::nullopt);
  EXPECT_TRUE(in_portions(edits, kEach) == std::vector<std::vector<TableEdit>>{edits});
}

TEST(NftPortions, ATableIsFilledBeforeItsHooksLeadToIt) {
  EXPECT_EQ(words(in_portions(plan_table(table(many(25)), std::nullopt), kEach)),
            (Words{"table ip t: put (missing), chain base: put (missing), chain behind: put "
                   "(missing), set m: put (missing), rule 1 of behind: put (missing)",
                   "set m: 10 elements put", "set m: 10 elements put", "set m: 5 elements put",
                   "rule 1 of base: put (missing), rule 2 of base: put (missing)"}));
}

TEST(NftPortions, WhatReplacesAnElementComesWithItsRemoval) {
  EXPECT_EQ(
      words(in_portions(plan_table(table(many(6, 1)), table(many(12))), kEach)),
      (Words{"set m: 6 elements removed, set m: 6 elements put", "set m: 6 elements removed"}));
}

TEST(NftPortions, ATableThatIsMadeAnewIsOnePortion) {
  TableContents other = table(many(30));
  other.sets.at("m").key_length = 8;
  EXPECT_EQ(in_portions(plan_table(table(many(30)), other), kEach).size(), 1U);
}

TEST(NftPortions, ASetOfIntervalsIsNeverSeenEmpty) {
  const auto intervals = [](std::uint32_t data) {
    TableContents contents = table({}, data);
    Set& set = contents.sets.at("m");
    set.flags = set_flags::kInterval;
    for (auto& each : many(30, data)) set.elements.push_back({.key = host_order(data) + each.key});
    return contents;
  };
  EXPECT_EQ(words(in_portions(plan_table(intervals(1), intervals(2)), kEach)).at(0),
            "set m: emptied, set m: 30 elements put");
}

TEST(NftPortions, AnyTableBecomesAnyOtherInSmallSteps) {
  std::mt19937 engine(3);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  for (int round = 0; round < 50; ++round) {
    const auto some = [&] {
      std::vector<Element> elements;
      for (std::uint32_t key = 0; key < 60; ++key)
        if (random() % 2 == 0) elements.push_back(element(key, random() % 3));
      return table(std::move(elements), random() % 3);
    };
    ModelKernel kernel(some());
    const TableContents desired = some();
    for (const auto& portion : in_portions(plan_table(desired, kernel.contents()), kEach)) {
      EXPECT_LE(count_elements(portion), 2 * kEach);
      kernel.carry_out(portion);
    }
    EXPECT_TRUE(plan_table(desired, kernel.contents()).empty());
  }
}

}  // namespace
}  // namespace weft::nft
