// nft_plan.h: the edits that turn one nftables table into another. Pure.
//
// Rules that stay are not touched, so their counters and connections stay too; a rule that
// differs is replaced where it stands, and elements come and go one by one. Only what nftables
// cannot change in place (a chain's hook, a set's type) makes the table anew, still within one
// transaction, so that no packet sees it half done.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/nft.h"

namespace weft::nft {

struct PutTable {
  Table table = {};
  bool operator==(const PutTable&) const = default;
};
/// The table goes with all that is in it; the edits behind this one make it anew.
struct DropTable {
  TableId table = {};
  std::string why = {};
  bool operator==(const DropTable&) const = default;
};
struct PutChain {
  Chain chain = {};
  bool replaces = false;  ///< only its policy differs
  bool operator==(const PutChain&) const = default;
};
struct DropChain {
  std::string chain = {};
  bool operator==(const DropChain&) const = default;
};
/// The set without its elements.
struct PutSet {
  Set set = {};
  bool operator==(const PutSet&) const = default;
};
struct DropSet {
  std::string set = {};
  bool operator==(const DropSet&) const = default;
};
struct PutElements {
  std::string set = {};
  std::vector<Element> elements = {};
  bool operator==(const PutElements&) const = default;
};
struct DropElements {
  std::string set = {};
  std::vector<Element> elements = {};
  bool operator==(const DropElements&) const = default;
};
/// All elements at once.
struct FlushSet {
  std::string set = {};
  bool operator==(const FlushSet&) const = default;
};
struct InsertRule {
  std::string chain = {};
  Rule rule = {};
  std::optional<std::uint64_t> before = {};  ///< a rule's handle; at the chain's end without one
  std::size_t position = 0;                  ///< in the wish, counted from 1
  bool operator==(const InsertRule&) const = default;
};
struct ReplaceRule {
  std::string chain = {};
  Rule rule = {};
  std::uint64_t handle = 0;  ///< of the rule that goes
  std::size_t position = 0;
  bool operator==(const ReplaceRule&) const = default;
};
struct DropRule {
  std::string chain = {};
  std::uint64_t handle = 0;
  std::size_t position = 0;  ///< in the table as it was, counted from 1
  bool operator==(const DropRule&) const = default;
};

using TableEdit =
    std::variant<PutTable, DropTable, PutChain, DropChain, PutSet, DropSet, PutElements,
                 DropElements, FlushSet, InsertRule, ReplaceRule, DropRule>;

/// The edits in an order in which the kernel takes them. None when the tables say the same;
/// handles, counters and comments of tables, chains and sets aside. The elements of dynamic
/// sets are the packet path's and stay as they are; anonymous sets go with their rules.
std::vector<TableEdit> plan_table(const TableContents& desired,
                                  const std::optional<TableContents>& actual);

/// How many elements are put and removed by edits.
std::size_t count_elements(const std::vector<TableEdit>& edits);

/// "chain postrtg: put (missing)", "rule 3 of forward: replaced"
std::string describe(const TableEdit& edit);

}  // namespace weft::nft
