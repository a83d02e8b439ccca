#include "base/hash_trie.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace weft {
namespace {

struct Entry {
  std::uint64_t key = 0;
  int value = 0;
};

// The hash is the key, so that a test decides which entries meet where.
struct Traits {
  using Key = std::uint64_t;
  static Key key(const Entry& entry) { return entry.key; }
  static std::uint64_t hash(Key key) { return key; }
};
using Trie = HashTrie<Entry, Traits>;

// Keys of one bucket all have one hash.
struct CollidingTraits : Traits {
  static std::uint64_t hash(Key key) { return key % 3; }
};

template <class AnyTrie>
std::map<std::uint64_t, int> contents(const AnyTrie& trie) {
  std::map<std::uint64_t, int> result;
  trie.for_each([&](const Entry& entry) { result[entry.key] = entry.value; });
  return result;
}

TEST(HashTrie, WhatWasPutIsFoundReplacedAndRemoved) {
  Trie trie;
  EXPECT_EQ(trie.find(1), nullptr);
  EXPECT_FALSE(trie.remove(1));
  trie.put({1, 10});
  trie.put({33, 11});  // the same place on the first level
  trie.put({1, 12});
  EXPECT_EQ(trie.size(), 2U);
  EXPECT_EQ(trie.find(1)->value, 12);
  EXPECT_EQ(trie.find(33)->value, 11);
  EXPECT_EQ(trie.find(65), nullptr);
  EXPECT_TRUE(trie.remove(1));
  EXPECT_FALSE(trie.remove(1));
  EXPECT_EQ(trie.size(), 1U);
  EXPECT_EQ(trie.find(33)->value, 11);
}

TEST(HashTrie, ACopyDoesNotSeeLaterChanges) {
  Trie before;
  for (std::uint64_t key = 0; key < 100; ++key) before.put({key, 0});
  Trie after = before;
  after.put({5, 1});
  after.put({1000, 1});
  after.remove(7);
  EXPECT_EQ(before.find(5)->value, 0);
  EXPECT_EQ(before.find(1000), nullptr);
  EXPECT_NE(before.find(7), nullptr);
  EXPECT_EQ(before.size(), 100U);
  EXPECT_EQ(after.size(), 100U);
}

template <class AnyTrie>
void compare_with_map(AnyTrie trie, std::uint64_t keys) {
  std::map<std::uint64_t, int> expected;
  std::mt19937_64 random(1);
  constexpr int kSteps = 20'000;
  for (int step = 0; step < kSteps; ++step) {
    // Keys that differ in their highest bits only, too: they meet on the last level.
    const std::uint64_t key = (random() % keys) << (step % 2 == 0 ? 0 : 58);
    if (random() % 3 == 0) {
      EXPECT_EQ(trie.remove(key), expected.erase(key) != 0);
    } else {
      trie.put({key, step});
      expected[key] = step;
    }
    ASSERT_EQ(trie.size(), expected.size());
  }
  EXPECT_EQ(contents(trie), expected);
  for (const auto& [key, value] : expected) ASSERT_EQ(trie.find(key)->value, value);
  for (const auto& entry : std::map(expected)) EXPECT_TRUE(trie.remove(entry.first));
  EXPECT_EQ(trie.size(), 0U);
  EXPECT_TRUE(contents(trie).empty());
}

TEST(HashTrie, AgreesWithAMap) {
  compare_with_map(Trie(), 500);
}

TEST(HashTrie, EntriesOfOneHashStandSideBySide) {
  compare_with_map(HashTrie<Entry, CollidingTraits>(), 40);
}

}  // namespace
}  // namespace weft
