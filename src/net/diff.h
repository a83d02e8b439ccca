// diff.h: the difference between the state we want and the state we have.
//
// Nothing in weft remembers what it last told the kernel. Every pass reads the kernel, plans
// afresh and applies the difference, so a lost event, a restart or a hand-typed
// `ip route del` is repaired by the next pass.
#pragma once

#include <map>
#include <vector>

namespace weft {

/// The edits that turn one keyed table into another. Each put says whether it adds what is
/// missing or replaces what is different.
template <class Key, class Value>
struct Edits {
  struct Put {
    Key key;
    Value value;
    bool replaces = false;
    bool operator==(const Put&) const = default;
  };
  std::vector<Put> put = {};
  std::vector<Key> drop = {};  ///< present, but not wanted

  bool empty() const { return put.empty() && drop.empty(); }
  bool operator==(const Edits&) const = default;
};

/// Returns the edits after which `actual` would equal `desired`, in key order.
///
/// Only what is listed in `actual` can ever be dropped, so the caller protects other people's
/// entries simply by not reading them in. Equal tables give no edits: a converged node is
/// silent.
template <class Key, class Value>
Edits<Key, Value> diff(const std::map<Key, Value>& desired, const std::map<Key, Value>& actual) {
  Edits<Key, Value> edits;
  for (const auto& [key, value] : desired) {
    const auto found = actual.find(key);
    if (found == actual.end())
      edits.put.push_back({key, value, false});
    else if (found->second != value)
      edits.put.push_back({key, value, true});
  }
  for (const auto& [key, value] : actual)
    if (!desired.contains(key)) edits.drop.push_back(key);
  return edits;
}

}  // namespace weft
