#include "net/diff.h"

#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

using Table = std::map<int, std::string>;

Table apply(Table table, const Edits<int, std::string>& edits) {
  for (const auto& put : edits.put) table[put.key] = put.value;
  for (const int key : edits.drop) table.erase(key);
  return table;
}

TEST(DiffTest, SaysWhatIsMissingDifferentAndNotWanted) {
  const auto edits = diff(Table{{1, "same"}, {2, "new"}, {3, "added"}},
                          Table{{1, "same"}, {2, "old"}, {4, "gone"}});
  const Edits<int, std::string> expected{.put = {{.key = 2, .value = "new", .replaces = true},
                                                 {.key = 3, .value = "added", .replaces = false}},
                                         .drop = {4}};
  EXPECT_EQ(edits, expected);
}

// Every pair of tables over three keys with two values: after the edits they are equal, and a
// second pass is empty.
TEST(DiffTest, EditsMakeEqualAndASecondPassIsEmpty) {
  std::vector<Table> tables;
  for (int code = 0; code < 27; ++code) {
    Table table;
    for (int key = 0, rest = code; key < 3; ++key, rest /= 3)
      if (rest % 3 != 0) table[key] = rest % 3 == 1 ? "a" : "b";
    tables.push_back(table);
  }
  for (const auto& desired : tables) {
    for (const auto& actual : tables) {
      const auto edits = diff(desired, actual);
      EXPECT_EQ(apply(actual, edits), desired);
      EXPECT_EQ(edits.empty(), desired == actual);
      EXPECT_TRUE(diff(desired, apply(actual, edits)).empty());
    }
  }
}

}  // namespace
}  // namespace weft
