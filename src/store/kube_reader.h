// kube_reader.h: reads each collection of an API server once, however many parts of a process want
// it.
//
// Theory of operation. The first who follows a collection makes a list-watch of it
// (kube_list_watch.h), with its own selection. Others share that: each gets of lists and events
// what its own selection asks for, on the one thread that reads. Where their selections differ, the
// server is asked for everything, and each picks its own here (kube_selection.h); a selection that
// only a server can apply is followed alone.
//
// Nothing of what was read is kept here. So a list is read anew when somebody comes later, and all
// get it: those who know everything already find nothing new in it. Where several are to come at a
// process's start, the first list waits for them, but not for long.
//
// The last one to leave ends the list-watch.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "store/kube_client.h"
#include "store/kube_list_watch.h"
#include "store/kube_selection.h"

namespace weft {

// Collections that more than one part follows.
inline constexpr char kNodesPath[] = "/api/v1/nodes";
inline constexpr char kServicesPath[] = "/api/v1/services";
inline constexpr char kEndpointSlicesPath[] = "/apis/discovery.k8s.io/v1/endpointslices";

class KubeCollection;

/// For whom a first list waits.
struct KubeGathering {
  std::map<std::string, unsigned> followers = {};  ///< how many are to come, by path
  std::chrono::milliseconds patience{1'000};
};

class KubeReader {
 public:
  explicit KubeReader(KubeAccess access, KubeGathering gathering = {});
  ~KubeReader();
  KubeReader(const KubeReader&) = delete;
  KubeReader& operator=(const KubeReader&) = delete;

  const KubeClient& client() const { return client_; }

 private:
  friend class KubeFollower;
  /// The one that is shared, or one for these options alone.
  std::shared_ptr<KubeCollection> collection(const KubeListWatchOptions& options, bool is_shared);

  const KubeClient client_;
  const KubeGathering gathering_;
  LockGuarded<std::map<std::string, std::weak_ptr<KubeCollection>>> shared_;  // by path
};

/// Follows a collection from its making to its end.
class KubeFollower {
 public:
  /// `reader` and `sink` must outlive it. `changed` is called after the sink's state or the health
  /// has changed, on the thread that reads; it must return soon and not end a follower. Of several
  /// followers the options of the first count, but for the selections.
  KubeFollower(KubeReader& reader, const KubeListWatchOptions& options, KubeSink& sink,
               std::function<void()> changed);
  /// After it neither the sink nor `changed` is called any more.
  ~KubeFollower();
  KubeFollower(const KubeFollower&) = delete;
  KubeFollower& operator=(const KubeFollower&) = delete;

  /// What keeps the state from being current, or success. Callable from any thread.
  Status health() const;
  /// See KubeListWatch.
  void reconnect();

 private:
  friend class KubeCollection;

  const KubeSelection selection_;
  const std::optional<KubeSelector> selector_;  // nothing: only the server can select
  const std::string thread_name_;               // of the thread that it was made on
  KubeSink& sink_;
  const std::function<void()> changed_;
  bool in_list_ = false;  // it gets the list that comes in; guarded by the collection
  std::atomic<bool> listed_ = false;
  const std::shared_ptr<KubeCollection> collection_;
};

}  // namespace weft
