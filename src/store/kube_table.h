// kube_table.h: the objects of one kind as what a decoder keeps of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/lock_guarded.h"
#include "store/kube_list_watch.h"

namespace weft {

/// By "namespace/name", or the name alone. A list that comes in stands beside the present
/// objects until it is whole. All members but those of KubeSink may be called from any thread.
template <class Value>
class KubeTable : public KubeSink {
 public:
  using Objects = std::map<std::string, Value>;
  /// What stays of an object; one that it cannot use gets a Value that says so.
  using Decode = std::function<Value(const KubeMeta& meta, std::string_view object)>;

  explicit KubeTable(Decode decode) : decode_(std::move(decode)) {}

  /// Calls `use` with the objects under the lock; false, without a call, before the first list
  /// is whole.
  template <class Use>
  bool read(Use use) const {
    return state_.with([&](const State& state) {
      if (state.complete) use(state.objects);
      return state.complete;
    });
  }
  /// Grows with every change, so that what is made of the objects can be kept.
  std::uint64_t generation() const {
    return state_.with([](const State& state) { return state.generation; });
  }

  void begin() override { listed_.clear(); }
  void list_item(const KubeObject& object) override {
    listed_.insert_or_assign(key(object.meta()), decode_(object.meta(), object.message()));
  }
  void commit() override {
    state_.with([&](State& state) {
      state.objects.swap(listed_);
      state.complete = true;
      ++state.generation;
    });
    listed_.clear();
  }
  bool put(const KubeObject& object) override {
    Value value = decode_(object.meta(), object.message());
    return state_.with([&](State& state) {
      const auto [entry, is_new] = state.objects.try_emplace(key(object.meta()));
      if (!is_new && entry->second == value) return false;
      entry->second = std::move(value);
      ++state.generation;
      return true;
    });
  }
  bool remove(const KubeMeta& meta) override {
    return state_.with([&](State& state) {
      const bool removed = state.objects.erase(key(meta)) != 0;
      if (removed) ++state.generation;
      return removed;
    });
  }

 private:
  struct State {
    bool complete = false;
    std::uint64_t generation = 0;
    Objects objects;
  };
  static std::string key(const KubeMeta& meta) {
    return meta.ns.empty() ? meta.name : meta.ns + "/" + meta.name;
  }

  const Decode decode_;
  Objects listed_;  // of the thread of the watch
  LockGuarded<State> state_;
};

}  // namespace weft
