// hash_trie.h: a hash table whose versions share everything that did not change.
//
// A copy costs a pointer. A change copies the nodes from the root to the entry, four or five of
// them in a table of a million entries, and leaves every other version as it was: a thread may
// read one without a lock while another makes the next.
//
// Theory of operation. Each level of the tree takes five bits of an entry's hash. A node holds its
// entries and its children in two dense arrays, and two bit maps tell which of the 32 places are
// taken by which. An entry stands as high as it can: below a child there are always two entries at
// least. When a hash is used up, entries of the same hash stand in a list.
//
// Source: Steindorfer and Vinju, "Optimizing Hash-Array Mapped Tries for Fast and Lean Immutable
// JVM Collections" (OOPSLA 2015).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weft {

/// `Traits` says what the key of an entry is: `Key`, cheap to copy; `key(const Entry&)`; and
/// `hash(Key)`. Keys are compared with ==. Not to be changed while another thread uses the same
/// object; a copy of it may be.
template <class Entry, class Traits>
class HashTrie {
 public:
  using Key = typename Traits::Key;

  std::size_t size() const { return size_; }

  /// The entry of that key, valid as long as this version or a copy of it; nullptr without one.
  const Entry* find(Key key) const {
    std::uint64_t hash = Traits::hash(key);
    const Node* node = root_.get();
    for (unsigned depth = 0; node != nullptr; ++depth, hash >>= kBits) {
      if (depth == kDepth) return find_in_list(*node, key);
      const std::uint32_t place = place_of(hash);
      if ((node->entry_places & place) != 0) {
        const Entry& entry = node->entries[index(node->entry_places, place)];
        return Traits::key(entry) == key ? &entry : nullptr;
      }
      if ((node->child_places & place) == 0) return nullptr;
      node = node->children[index(node->child_places, place)].get();
    }
    return nullptr;
  }

  /// Adds the entry, or replaces the one of the same key.
  void put(Entry entry) {
    const std::uint64_t hash = Traits::hash(Traits::key(entry));
    if (root_ == nullptr) root_ = std::make_shared<Node>();
    root_ = with(*root_, std::move(entry), hash, 0);
  }

  /// False when there was none.
  bool remove(Key key) {
    if (find(key) == nullptr) return false;
    root_ = without(*root_, key, Traits::hash(key), 0);
    --size_;
    return true;
  }

  /// Calls `use(entry)` for each, in no order that means anything.
  template <class Use>
  void for_each(Use&& use) const {
    if (root_ != nullptr) visit(*root_, use);
  }

 private:
  static constexpr unsigned kBits = 5;
  static constexpr unsigned kDepth = (64 + kBits - 1) / kBits;  // from here on nodes are lists

  struct Node {
    std::uint32_t entry_places = 0;
    std::uint32_t child_places = 0;
    std::vector<Entry> entries;
    std::vector<std::shared_ptr<const Node>> children;
  };
  using Pointer = std::shared_ptr<const Node>;

  static std::uint32_t place_of(std::uint64_t hash) {
    return std::uint32_t{1} << (hash & ((1U << kBits) - 1));
  }
  static std::size_t index(std::uint32_t places, std::uint32_t place) {
    return static_cast<std::size_t>(std::popcount(places & (place - 1)));
  }
  static const Entry* find_in_list(const Node& node, Key key) {
    for (const Entry& entry : node.entries)
      if (Traits::key(entry) == key) return &entry;
    return nullptr;
  }

  // The array with one element more, one replaced, one less: of exactly the size that it needs.
  template <class T>
  static std::vector<T> inserted(const std::vector<T>& from, std::size_t at, T element) {
    std::vector<T> to;
    to.reserve(from.size() + 1);
    to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(at));
    to.push_back(std::move(element));
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(at), from.end());
    return to;
  }
  template <class T>
  static std::vector<T> replaced(const std::vector<T>& from, std::size_t at, T element) {
    std::vector<T> to(from);
    to[at] = std::move(element);
    return to;
  }
  template <class T>
  static std::vector<T> erased(const std::vector<T>& from, std::size_t at) {
    std::vector<T> to;
    to.reserve(from.size() - 1);
    to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(at));
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(at) + 1, from.end());
    return to;
  }

  Pointer with(const Node& node, Entry entry, std::uint64_t hash, unsigned depth) {
    auto next = std::make_shared<Node>();
    next->entry_places = node.entry_places;
    next->child_places = node.child_places;
    if (depth == kDepth) {
      put_in_list(node, *next, std::move(entry));
      return next;
    }
    const std::uint32_t place = place_of(hash);
    if ((node.entry_places & place) != 0) {
      meet(node, *next, std::move(entry), hash, depth);
      return next;
    }
    if ((node.child_places & place) != 0) {
      const std::size_t at = index(node.child_places, place);
      next->entries = node.entries;
      next->children = replaced(
          node.children, at, with(*node.children[at], std::move(entry), hash >> kBits, depth + 1));
      return next;
    }
    next->entry_places |= place;
    next->entries = inserted(node.entries, index(next->entry_places, place), std::move(entry));
    next->children = node.children;
    ++size_;
    return next;
  }

  void put_in_list(const Node& node, Node& next, Entry entry) {
    const Entry* old = find_in_list(node, Traits::key(entry));
    if (old == nullptr) {
      next.entries = inserted(node.entries, node.entries.size(), std::move(entry));
      ++size_;
      return;
    }
    const auto at = static_cast<std::size_t>(old - node.entries.data());
    next.entries = replaced(node.entries, at, std::move(entry));
  }

  // The place holds an entry: the one to be replaced, or one that both must make way for.
  void meet(const Node& node, Node& next, Entry entry, std::uint64_t hash, unsigned depth) {
    const std::uint32_t place = place_of(hash);
    const std::size_t at = index(node.entry_places, place);
    const Entry& resident = node.entries[at];
    if (Traits::key(resident) == Traits::key(entry)) {
      next.entries = replaced(node.entries, at, std::move(entry));
      next.children = node.children;
      return;
    }
    Node below;
    const std::uint64_t resident_hash = Traits::hash(Traits::key(resident)) >> (kBits * depth);
    if (depth + 1 < kDepth) below.entry_places = place_of(resident_hash >> kBits);
    below.entries.push_back(resident);
    next.entry_places &= ~place;
    next.child_places |= place;
    next.entries = erased(node.entries, at);
    next.children = inserted(node.children, index(next.child_places, place),
                             with(below, std::move(entry), hash >> kBits, depth + 1));
  }

  // REQUIRES that the key is there.
  Pointer without(const Node& node, Key key, std::uint64_t hash, unsigned depth) {
    auto next = std::make_shared<Node>();
    next->entry_places = node.entry_places;
    next->child_places = node.child_places;
    if (depth == kDepth) {
      const Entry* entry = find_in_list(node, key);
      next->entries = erased(node.entries, static_cast<std::size_t>(entry - node.entries.data()));
      return next;
    }
    const std::uint32_t place = place_of(hash);
    if ((node.entry_places & place) != 0) {
      next->entry_places &= ~place;
      next->entries = erased(node.entries, index(node.entry_places, place));
      next->children = node.children;
      return next;
    }
    const std::size_t at = index(node.child_places, place);
    Pointer child = without(*node.children[at], key, hash >> kBits, depth + 1);
    if (child->entries.size() == 1 && child->children.empty()) {
      next->child_places &= ~place;
      next->entry_places |= place;
      next->entries =
          inserted(node.entries, index(next->entry_places, place), child->entries.front());
      next->children = erased(node.children, at);
      return next;
    }
    next->entries = node.entries;
    next->children = replaced(node.children, at, std::move(child));
    return next;
  }

  template <class Use>
  static void visit(const Node& node, Use& use) {
    for (const Entry& entry : node.entries) use(entry);
    for (const Pointer& child : node.children) visit(*child, use);
  }

  Pointer root_;
  std::size_t size_ = 0;
};

}  // namespace weft
