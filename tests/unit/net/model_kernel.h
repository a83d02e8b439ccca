// model_kernel.h: a kernel of the simplest kind, for the edits of one nftables table.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/nft_plan.h"

namespace weft::nft::test {

/// What it does with the edits is what nf_tables would do, and what nf_tables would refuse is a
/// failed test.
class ModelKernel {
 public:
  explicit ModelKernel(std::optional<TableContents> contents) : contents_(std::move(contents)) {
    if (contents_)
      for (auto& [chain, list] : contents_->rules)
        for (auto& each : list) each.handle = next_handle_++;
  }

  const std::optional<TableContents>& contents() const { return contents_; }

  void carry_out(const std::vector<TableEdit>& edits) {
    for (const auto& edit : edits) std::visit(*this, edit);
  }

  void operator()(const PutTable& edit) {
    EXPECT_FALSE(contents_);
    contents_.emplace().table = edit.table;
  }
  void operator()(const DropTable&) { contents_.reset(); }
  void operator()(const PutChain& edit) {
    contents_->chains[edit.chain.name] = edit.chain;
    contents_->rules[edit.chain.name];
  }
  void operator()(const DropChain& edit) {
    EXPECT_TRUE(contents_->rules.at(edit.chain).empty());
    contents_->rules.erase(edit.chain);
    EXPECT_EQ(contents_->chains.erase(edit.chain), 1U);
  }
  void operator()(const PutSet& edit) {
    EXPECT_TRUE(edit.set.elements.empty());
    EXPECT_TRUE(contents_->sets.emplace(edit.set.name, edit.set).second);
  }
  void operator()(const DropSet& edit) { EXPECT_EQ(contents_->sets.erase(edit.set), 1U); }
  void operator()(const PutElements& edit) {
    auto& elements = contents_->sets.at(edit.set).elements;
    for (const auto& element : edit.elements) {
      for (const auto& other : elements) EXPECT_NE(other.key, element.key);
      elements.push_back(element);
    }
    std::sort(elements.begin(), elements.end());
  }
  void operator()(const DropElements& edit) {
    auto& elements = contents_->sets.at(edit.set).elements;
    for (const auto& element : edit.elements) EXPECT_EQ(std::erase(elements, element), 1U);
  }
  void operator()(const FlushSet& edit) { contents_->sets.at(edit.set).elements.clear(); }
  void operator()(const InsertRule& edit) {
    auto& list = contents_->rules.at(edit.chain);
    list.insert(edit.before ? place(edit.chain, *edit.before) : list.end(), made(edit.rule));
  }
  void operator()(const ReplaceRule& edit) { *place(edit.chain, edit.handle) = made(edit.rule); }
  void operator()(const DropRule& edit) {
    contents_->rules.at(edit.chain).erase(place(edit.chain, edit.handle));
  }

 private:
  std::vector<Rule>::iterator place(const std::string& chain, std::uint64_t handle) {
    auto& list = contents_->rules.at(chain);
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Rule& each) { return each.handle == handle; });
    if (found == list.end()) ADD_FAILURE() << "no rule with handle " << handle;
    return found;
  }
  Rule made(Rule from) {
    from.handle = next_handle_++;
    return from;
  }

  std::optional<TableContents> contents_;
  std::uint64_t next_handle_ = 1;
};

}  // namespace weft::nft::test
