#include "net/nft_portions.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace weft::nft {
namespace {

using Edits = std::vector<TableEdit>;

// What happens to the elements of one set.
struct SetChange {
  std::vector<Element> put = {};
  std::vector<Element> drop = {};
};

bool by_key(const Element& left, const Element& right) {
  return left.key < right.key;
}

class Portions {
 public:
  explicit Portions(std::size_t elements_each) : elements_each_(elements_each) {}

  std::vector<Edits> cut(Edits edits) {
    sort_out(std::move(edits));
    result_.push_back(std::move(first_));
    begin_elements();
    for (auto& [set, change] : changes_) cut_puts(set, change);
    result_.push_back(std::move(rules_));
    begin_elements();
    for (auto& [set, change] : changes_) cut_drops(set, std::move(change.drop));
    begin_elements();
    std::move(last_.begin(), last_.end(), std::back_inserter(result_.back()));
    std::erase_if(result_, [](const Edits& portion) { return portion.empty(); });
    return std::move(result_);
  }

 private:
  void sort_out(Edits edits) {
    std::set<std::string> flushed;
    std::set<std::string> unreached;
    for (const TableEdit& edit : edits) {
      if (const auto* flush = std::get_if<FlushSet>(&edit)) flushed.insert(flush->set);
      const auto* chain = std::get_if<PutChain>(&edit);
      if (chain != nullptr && !chain->chain.hook) unreached.insert(chain->chain.name);
    }
    for (TableEdit& edit : edits) {
      const auto* rule = std::get_if<InsertRule>(&edit);
      if (auto* put = std::get_if<PutElements>(&edit); put && !flushed.contains(put->set))
        append(changes_[put->set].put, put->elements);
      else if (auto* drop = std::get_if<DropElements>(&edit))
        append(changes_[drop->set].drop, drop->elements);
      else if (rule != nullptr && unreached.contains(rule->chain))
        rules_of_new_chains_.push_back(std::move(edit));
      else if (rule != nullptr || is<ReplaceRule>(edit) || is<DropRule>(edit))
        rules_.push_back(std::move(edit));
      else if (is<DropChain>(edit) || is<DropSet>(edit))
        last_.push_back(std::move(edit));
      else
        first_.push_back(std::move(edit));
    }
    std::move(rules_of_new_chains_.begin(), rules_of_new_chains_.end(), std::back_inserter(first_));
  }
  template <class Edit>
  static bool is(const TableEdit& edit) {
    return std::holds_alternative<Edit>(edit);
  }
  static void append(std::vector<Element>& to, std::vector<Element>& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  }

  // Leaves in `change.drop` what is not replaced.
  void cut_puts(const std::string& set, SetChange& change) {
    if (!change.drop.empty()) std::sort(change.put.begin(), change.put.end());
    const std::size_t step = std::max<std::size_t>(elements_each_, 1);
    for (std::size_t begin = 0; begin < change.put.size(); begin += step) {
      const auto from = change.put.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = change.put.begin() +
                      static_cast<std::ptrdiff_t>(std::min(begin + step, change.put.size()));
      std::vector<Element> replaced;
      std::erase_if(change.drop, [&](const Element& old) {
        const bool is_replaced = std::binary_search(from, to, old, by_key);
        if (is_replaced) replaced.push_back(old);
        return is_replaced;
      });
      make_room(replaced.size() + static_cast<std::size_t>(to - from));
      if (!replaced.empty()) result_.back().emplace_back(DropElements{set, std::move(replaced)});
      result_.back().emplace_back(PutElements{set, {from, to}});
    }
  }

  void cut_drops(const std::string& set, std::vector<Element> gone) {
    const std::size_t step = std::max<std::size_t>(elements_each_, 1);
    for (std::size_t begin = 0; begin < gone.size(); begin += step) {
      const auto from = gone.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to =
          gone.begin() + static_cast<std::ptrdiff_t>(std::min(begin + step, gone.size()));
      make_room(static_cast<std::size_t>(to - from));
      result_.back().emplace_back(DropElements{set, {from, to}});
    }
  }

  void begin_elements() {
    result_.emplace_back();
    elements_ = 0;
  }
  void make_room(std::size_t elements) {
    if (elements_ != 0 && elements_ + elements > elements_each_) begin_elements();
    elements_ += elements;
  }

  const std::size_t elements_each_;
  Edits first_;
  Edits rules_of_new_chains_;
  std::map<std::string, SetChange> changes_;
  Edits rules_;
  Edits last_;
  std::vector<Edits> result_;
  std::size_t elements_ = 0;  // in the last portion
};

}  // namespace

std::vector<Edits> in_portions(Edits edits, std::size_t elements_each) {
  const bool anew = std::any_of(edits.begin(), edits.end(), [](const TableEdit& edit) {
    return std::holds_alternative<DropTable>(edit);
  });
  if (anew || count_elements(edits) <= elements_each) {
    std::vector<Edits> all;
    if (!edits.empty()) all.push_back(std::move(edits));
    return all;
  }
  return Portions(elements_each).cut(std::move(edits));
}

}  // namespace weft::nft
