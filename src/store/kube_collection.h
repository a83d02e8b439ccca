// kube_collection.h: one list-watch, and all who follow it: the inside of kube_reader.h.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "store/kube_reader.h"

namespace weft {

class KubeCollection : private KubeSink {
 public:
  /// The first list waits for so many, or for `patience`.
  KubeCollection(const KubeClient& client, const KubeListWatchOptions& options, unsigned expected,
                 std::chrono::milliseconds patience);
  /// REQUIRES that nobody follows any more.
  ~KubeCollection() override;
  KubeCollection(const KubeCollection&) = delete;
  KubeCollection& operator=(const KubeCollection&) = delete;

  /// From now on it gets lists and, after its first one, events.
  void add(KubeFollower& follower);
  void remove(KubeFollower& follower);

  Status health() const { return watch_.health(); }
  void reconnect() { watch_.reconnect(); }

 private:
  // Called by the watch, on its thread.
  void begin() override;
  void list_item(const KubeObject& object) override;
  void commit() override;
  bool put(const KubeObject& object) override;
  bool remove(const KubeMeta& meta) override;
  void tell_all();

  bool wants(const KubeFollower& follower, const KubeObject& object) const;
  /// Calls use(follower) for each that `may` names, under the name of its thread.
  template <class May, class Use>
  void for_each(May may, Use use);

  const KubeSelection selection_;  // of the first one
  const unsigned expected_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable gathered_;
  std::vector<KubeFollower*> followers_;  // guarded by mutex_, as are the next ones
  bool is_mixed_ = false;                 // of more than one selection: the server sends everything
  bool is_started_ = false;
  bool has_begun_ = false;
  bool ends_ = false;
  std::string speaks_as_;  // of the thread of the watch
  KubeListWatch watch_;    // last: its thread uses the rest
};

}  // namespace weft
