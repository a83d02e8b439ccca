#include "net/nft_plan.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "model_kernel.h"
#include "net/nft_rules.h"

namespace weft::nft {
namespace {

using test::ModelKernel;

Rule rule(std::uint32_t mark) {
  return RuleWriter(TableFamily::kIp).mark_is(mark).accept();
}
std::vector<Rule> rules(const std::vector<std::uint32_t>& marks) {
  std::vector<Rule> list;
  for (const auto mark : marks) list.push_back(rule(mark));
  return list;
}

TableContents table(const std::vector<std::uint32_t>& marks = {}) {
  TableContents contents{.table = {.id = {TableFamily::kIp, "t"}}};
  contents.add(Chain{.name = "c"}, rules(marks));
  return contents;
}

std::vector<std::string> words(const TableContents& desired,
                               const std::optional<TableContents>& actual) {
  ModelKernel kernel(actual);
  const auto edits = plan_table(desired, kernel.contents());
  kernel.carry_out(edits);
  EXPECT_TRUE(plan_table(desired, kernel.contents()).empty()) << "a second pass is not silent";
  std::vector<std::string> all;
  for (const auto& edit : edits) all.push_back(describe(edit));
  return all;
}

using Words = std::vector<std::string>;

TEST(NftPlan, EqualTablesGiveNoEdits) {
  EXPECT_EQ(words(table({1, 2}), table({1, 2})), Words{});
}

TEST(NftPlan, AMissingTableIsMadeWhole) {
  EXPECT_EQ(
      words(table({1}), std::nullopt),
      (Words{"table ip t: put (missing)", "chain c: put (missing)", "rule 1 of c: put (missing)"}));
}

TEST(NftPlan, RulesThatStayAreNotTouched) {
  struct Step {
    std::vector<std::uint32_t> wanted, present;
    Words words;
  };
  const Step steps[] = {
      {{1, 2, 3}, {1, 3}, {"rule 2 of c: put (missing)"}},
      {{1, 2, 3}, {2, 3}, {"rule 1 of c: put (missing)"}},
      {{1, 2, 3}, {1, 2}, {"rule 3 of c: put (missing)"}},
      {{1, 3}, {1, 2, 3}, {"rule 2 of c: removed"}},
      {{1, 2, 3}, {1, 9, 3}, {"rule 2 of c: replaced"}},
      {{1, 2, 3}, {1, 9, 8, 3}, {"rule 3 of c: removed", "rule 2 of c: replaced"}},
      {{}, {1, 2}, {"rule 1 of c: removed", "rule 2 of c: removed"}},
      {{1, 2, 3}, {3, 1, 2}, {"rule 1 of c: removed", "rule 3 of c: put (missing)"}},
  };
  for (const auto& step : steps)
    EXPECT_EQ(words(table(step.wanted), table(step.present)), step.words);
}

TEST(NftPlan, AnyListBecomesAnyOther) {
  std::mt19937 random(7);
  const auto any_list = [&] {
    std::vector<std::uint32_t> marks(random() % 9);
    for (auto& mark : marks) mark = random() % 4;  // few values: doubles are common
    return marks;
  };
  for (int i = 0; i < 2000; ++i) {
    const auto wanted = table(any_list());
    ModelKernel kernel(table(any_list()));
    kernel.carry_out(plan_table(wanted, kernel.contents()));
    ASSERT_EQ(kernel.contents()->rules, wanted.rules);
  }
}

TEST(NftPlan, LongListsThatDifferEverywhereStillConverge) {
  std::vector<std::uint32_t> wanted(3000);
  std::vector<std::uint32_t> present(2900);
  for (std::uint32_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
  for (std::uint32_t i = 0; i < present.size(); ++i) present[i] = 10'000 + i;
  EXPECT_EQ(words(table(wanted), table(present)).size(), wanted.size());
}

TEST(NftPlan, APolicyIsChangedInPlaceAndAHookMakesTheTableAnew) {
  auto wanted = table();
  wanted.add(Chain{.name = "in", .hook = Hook{.policy = Policy::kDrop}}, rules({1}));
  auto actual = table();
  actual.add(Chain{.name = "in", .hook = Hook{}}, rules({1}));
  EXPECT_EQ(words(wanted, actual), Words{"chain in: put (policy differed)"});
  actual.chains["in"].hook->priority = 5;
  EXPECT_EQ(
      words(wanted, actual),
      (Words{"table ip t: made anew (the hook of chain in differs)", "table ip t: put (missing)",
             "chain c: put (missing)", "chain in: put (missing)", "rule 1 of in: put (missing)"}));
}

Set address_set(const std::vector<std::string>& keys, std::uint32_t flags = 0) {
  Set set{.name = "s", .flags = flags, .key_type = data_type::kIpv4Address, .key_length = 4};
  for (const auto& key : keys) set.elements.push_back({.key = key});
  return set;
}

TEST(NftPlan, OnlyDifferentElementsMove) {
  auto wanted = table();
  wanted.add(address_set({"cccc", "aaaa", "bbbb"}));
  auto actual = table();
  actual.add(address_set({"aaaa", "bbbb", "dddd"}));
  EXPECT_EQ(words(wanted, actual), (Words{"set s: 1 element removed", "set s: 1 element put"}));
}

TEST(NftPlan, AnElementWithOtherDataIsTakenOutFirst) {
  auto wanted = table();
  wanted.add(address_set({"aaaa"}, set_flags::kMap));
  wanted.sets["s"].elements[0].data = Bytes("1234");
  auto actual = wanted;
  actual.sets["s"].elements[0].data = Bytes("5678");
  EXPECT_EQ(words(wanted, actual), (Words{"set s: 1 element removed", "set s: 1 element put"}));
}

TEST(NftPlan, IntervalsAreFilledAnewAndDynamicSetsLeftAlone) {
  auto wanted = table();
  wanted.add(address_set({"aaaa", "bbbb"}, set_flags::kInterval));
  auto actual = table();
  actual.add(address_set({"aaaa", "cccc"}, set_flags::kInterval));
  EXPECT_EQ(words(wanted, actual), (Words{"set s: emptied", "set s: 2 elements put"}));
  wanted.add(address_set({}, set_flags::kDynamic));
  actual.add(address_set({"aaaa"}, set_flags::kDynamic));
  EXPECT_EQ(words(wanted, actual), Words{});
}

TEST(NftPlan, StrangersGoButAnonymousSetsGoWithTheirRules) {
  auto actual = table({1});
  actual.add(Chain{.name = "other"}, rules({5}));
  actual.add(address_set({"aaaa"}));
  Set anonymous = address_set({}, set_flags::kAnonymous);
  anonymous.name = "__set0";
  actual.add(anonymous);
  EXPECT_EQ(words(table({1}), actual),
            (Words{"rule 1 of other: removed", "set s: removed", "chain other: removed"}));
}

TEST(IntervalElements, OverlapsAndNeighboursAreMerged) {
  const auto ends = [](const std::vector<const char*>& texts) {
    std::vector<Prefix> prefixes;
    for (const auto* text : texts) prefixes.push_back(Prefix::parse(text).value());
    std::vector<std::string> all;
    for (const auto& element : interval_elements(prefixes))
      all.push_back(IpAddress::from_bytes(element.key)->to_string() +
                    (element.interval_end ? " end" : ""));
    return all;
  };
  EXPECT_EQ(ends({}), Words{});
  EXPECT_EQ(ends({"10.0.0.0/8"}), (Words{"0.0.0.0 end", "10.0.0.0", "11.0.0.0 end"}));
  EXPECT_EQ(ends({"10.128.0.0/9", "10.0.0.0/9", "10.1.0.0/16"}),
            (Words{"0.0.0.0 end", "10.0.0.0", "11.0.0.0 end"}));
  EXPECT_EQ(ends({"0.0.0.0/8", "240.0.0.0/4"}), (Words{"0.0.0.0", "1.0.0.0 end", "240.0.0.0"}));
  EXPECT_EQ(ends({"0.0.0.0/0", "10.0.0.0/8"}), Words{"0.0.0.0"});
  EXPECT_EQ(ends({"fd00::/8"}), (Words{":: end", "fd00::", "fe00:: end"}));
}

}  // namespace
}  // namespace weft::nft
