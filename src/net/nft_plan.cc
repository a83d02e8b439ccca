#include "net/nft_plan.h"

#include <algorithm>
#include <utility>

namespace weft::nft {
namespace {

using Rules = std::vector<Rule>;
using Edits = std::vector<TableEdit>;

// Above this, two long lists that differ everywhere are replaced rule by rule instead of
// being matched, which takes time with the product of their lengths.
constexpr std::size_t kMatchedProduct = 4U << 20U;

// What an edit list is made of, in the order of the transaction: what is let go first, then
// what new rules refer to, the rules, and last what nothing refers to any more.
struct Parts {
  Edits loosened;  // rules and elements that go
  Edits chains;    // chains that come
  Edits sets;      // sets and elements that come
  Edits rules;     // rules that come or change
  Edits dropped;   // chains and sets that go
};

Set without_elements(const Set& set) {
  Set bare = set;
  bare.elements.clear();
  return bare;
}

std::vector<Element> sorted(std::vector<Element> elements) {
  std::sort(elements.begin(), elements.end());
  return elements;
}

// What is in `left` and not in `right`, both sorted.
std::vector<Element> minus(const std::vector<Element>& left, const std::vector<Element>& right) {
  std::vector<Element> rest;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                      std::back_inserter(rest));
  return rest;
}

void plan_elements(const Set& desired, const Set& actual, Parts& parts) {
  if (desired.is_dynamic()) return;
  const auto wanted = sorted(desired.elements);
  const auto present = sorted(actual.elements);
  if (wanted == present) return;
  // An interval of a set of one field is two elements that mean nothing apart: such a set is
  // filled anew.
  const bool intervals = (desired.flags & set_flags::kInterval) != 0;
  const bool concatenation = (desired.flags & set_flags::kConcatenation) != 0;
  if (intervals && !concatenation) {
    if (!present.empty()) parts.loosened.emplace_back(FlushSet{desired.name});
    if (!wanted.empty()) parts.sets.emplace_back(PutElements{desired.name, wanted});
    return;
  }
  auto gone = minus(present, wanted);
  auto missing = minus(wanted, present);
  if (!gone.empty()) parts.loosened.emplace_back(DropElements{desired.name, std::move(gone)});
  if (!missing.empty()) parts.sets.emplace_back(PutElements{desired.name, std::move(missing)});
}

void plan_sets(const TableContents& desired, const TableContents& actual, Parts& parts) {
  for (const auto& [name, set] : desired.sets) {
    const auto found = actual.sets.find(name);
    if (found != actual.sets.end()) {
      plan_elements(set, found->second, parts);
      continue;
    }
    parts.sets.emplace_back(PutSet{without_elements(set)});
    if (!set.elements.empty()) parts.sets.emplace_back(PutElements{name, set.elements});
  }
  for (const auto& [name, set] : actual.sets)
    if (!desired.sets.contains(name) && (set.flags & set_flags::kAnonymous) == 0)
      parts.dropped.emplace_back(DropSet{name});
}

// One stretch between two rules that stay: `wanted` takes the place of `present`.
struct Gap {
  std::size_t wanted_begin, wanted_end;
  std::size_t present_begin, present_end;
};

// The pairs (wanted, present) of a longest common subsequence of two ranges.
std::vector<std::pair<std::size_t, std::size_t>> matching(const Rules& wanted, const Rules& present,
                                                          const Gap& range) {
  const std::size_t rows = range.wanted_end - range.wanted_begin;
  const std::size_t columns = range.present_end - range.present_begin;
  if (rows * columns > kMatchedProduct) return {};
  // length[i][j]: of the best match of what lies behind i and j.
  std::vector<std::vector<std::uint32_t>> length(rows + 1,
                                                 std::vector<std::uint32_t>(columns + 1, 0));
  const auto equal = [&](std::size_t i, std::size_t j) {
    return wanted[range.wanted_begin + i] == present[range.present_begin + j];
  };
  for (std::size_t i = rows; i-- > 0;)
    for (std::size_t j = columns; j-- > 0;)
      length[i][j] =
          equal(i, j) ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0, j = 0; i < rows && j < columns;) {
    if (equal(i, j))
      pairs.emplace_back(range.wanted_begin + i++, range.present_begin + j++);
    else if (length[i + 1][j] >= length[i][j + 1])
      ++i;
    else
      ++j;
  }
  return pairs;
}

void fill_gap(const std::string& chain, const Rules& wanted, const Rules& present, const Gap& gap,
              Parts& parts) {
  std::size_t i = gap.wanted_begin;
  std::size_t j = gap.present_begin;
  for (; i < gap.wanted_end && j < gap.present_end; ++i, ++j)
    parts.rules.emplace_back(ReplaceRule{chain, wanted[i], present[j].handle, i + 1});
  for (; j < gap.present_end; ++j)
    parts.loosened.emplace_back(DropRule{chain, present[j].handle, j + 1});
  const auto before = gap.present_end < present.size()
                          ? std::optional(present[gap.present_end].handle)
                          : std::nullopt;
  for (; i < gap.wanted_end; ++i)
    parts.rules.emplace_back(InsertRule{chain, wanted[i], before, i + 1});
}

void plan_rules(const std::string& chain, const Rules& wanted, const Rules& present, Parts& parts) {
  const std::size_t shorter = std::min(wanted.size(), present.size());
  std::size_t begin = 0;
  while (begin < shorter && wanted[begin] == present[begin]) ++begin;
  std::size_t tail = 0;
  while (tail < shorter - begin &&
         wanted[wanted.size() - 1 - tail] == present[present.size() - 1 - tail])
    ++tail;
  const Gap middle{begin, wanted.size() - tail, begin, present.size() - tail};
  auto pairs = matching(wanted, present, middle);
  pairs.emplace_back(middle.wanted_end, middle.present_end);
  Gap gap{begin, begin, begin, begin};
  for (const auto& [kept_wanted, kept_present] : pairs) {
    gap.wanted_end = kept_wanted;
    gap.present_end = kept_present;
    fill_gap(chain, wanted, present, gap, parts);
    gap.wanted_begin = kept_wanted + 1;
    gap.present_begin = kept_present + 1;
  }
}

const Rules& rules_of(const TableContents& contents, const std::string& chain) {
  static const Rules kNone;
  const auto found = contents.rules.find(chain);
  return found == contents.rules.end() ? kNone : found->second;
}

void plan_chains(const TableContents& desired, const TableContents& actual, Parts& parts) {
  for (const auto& [name, chain] : desired.chains) {
    const auto found = actual.chains.find(name);
    if (found == actual.chains.end())
      parts.chains.emplace_back(PutChain{chain, false});
    else if (chain.hook != found->second.hook)
      parts.chains.emplace_back(PutChain{chain, true});
    plan_rules(name, rules_of(desired, name), rules_of(actual, name), parts);
  }
  for (const auto& [name, chain] : actual.chains) {
    if (desired.chains.contains(name)) continue;
    plan_rules(name, {}, rules_of(actual, name), parts);
    parts.dropped.emplace_back(DropChain{name});
  }
}

// Why the table cannot be edited in place; nothing when it can.
std::optional<std::string> obstacle(const TableContents& desired, const TableContents& actual) {
  for (const auto& [name, chain] : desired.chains) {
    const auto found = actual.chains.find(name);
    if (found == actual.chains.end()) continue;
    std::optional<Hook> hook = chain.hook;
    const std::optional<Hook>& other = found->second.hook;
    if (hook && other) hook->policy = other->policy;
    if (hook != other) return "the hook of chain " + name + " differs";
  }
  for (const auto& [name, set] : desired.sets) {
    const auto found = actual.sets.find(name);
    if (found != actual.sets.end() && !set.same_definition(found->second))
      return "the type of set " + name + " differs";
  }
  return std::nullopt;
}

void append(Edits& all, Edits& part) {
  std::move(part.begin(), part.end(), std::back_inserter(all));
}

std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

struct Describe {
  std::string operator()(const PutTable& edit) const {
    return "table " + edit.table.id.to_string() + ": put (missing)";
  }
  std::string operator()(const DropTable& edit) const {
    return "table " + edit.table.to_string() + ": made anew (" + edit.why + ")";
  }
  std::string operator()(const PutChain& edit) const {
    return "chain " + edit.chain.name + ": put (" +
           (edit.replaces ? "policy differed" : "missing") + ")";
  }
  std::string operator()(const DropChain& edit) const {
    return "chain " + edit.chain + ": removed";
  }
  std::string operator()(const PutSet& edit) const {
    return "set " + edit.set.name + ": put (missing)";
  }
  std::string operator()(const DropSet& edit) const { return "set " + edit.set + ": removed"; }
  std::string operator()(const PutElements& edit) const {
    return "set " + edit.set + ": " + counted(edit.elements.size(), "element") + " put";
  }
  std::string operator()(const DropElements& edit) const {
    return "set " + edit.set + ": " + counted(edit.elements.size(), "element") + " removed";
  }
  std::string operator()(const FlushSet& edit) const { return "set " + edit.set + ": emptied"; }
  std::string operator()(const InsertRule& edit) const {
    return "rule " + std::to_string(edit.position) + " of " + edit.chain + ": put (missing)";
  }
  std::string operator()(const ReplaceRule& edit) const {
    return "rule " + std::to_string(edit.position) + " of " + edit.chain + ": replaced";
  }
  std::string operator()(const DropRule& edit) const {
    return "rule " + std::to_string(edit.position) + " of " + edit.chain + ": removed";
  }
};

}  // namespace

std::vector<TableEdit> plan_table(const TableContents& desired,
                                  const std::optional<TableContents>& actual) {
  static const TableContents kNothing;
  Edits edits;
  const auto why = actual ? obstacle(desired, *actual) : std::nullopt;
  if (why) edits.emplace_back(DropTable{desired.table.id, *why});
  const bool anew = !actual || why;
  if (anew) edits.emplace_back(PutTable{desired.table});
  const TableContents& present = anew ? kNothing : *actual;
  Parts parts;
  plan_sets(desired, present, parts);
  plan_chains(desired, present, parts);
  append(edits, parts.loosened);
  append(edits, parts.chains);
  append(edits, parts.sets);
  append(edits, parts.rules);
  append(edits, parts.dropped);
  return edits;
}

std::size_t count_elements(const Edits& edits) {
  std::size_t count = 0;
  for (const TableEdit& edit : edits) {
    if (const auto* put = std::get_if<PutElements>(&edit)) count += put->elements.size();
    if (const auto* drop = std::get_if<DropElements>(&edit)) count += drop->elements.size();
  }
  return count;
}

std::string describe(const TableEdit& edit) {
  return std::visit(Describe{}, edit);
}

}  // namespace weft::nft
