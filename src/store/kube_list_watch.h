// kube_list_watch.h: follows all objects of one kind, by the API's list and watch.
//
// Theory of operation. One thread. All objects are listed in pages of one resourceVersion; then
// every change from there on is streamed, with bookmarks that move the version where nothing
// changes. A stream that ends, or is silent for longer than the server's bookmarks allow, is
// opened again where it was. Where the API has forgotten that version (410 Gone), or sent what
// cannot be read, everything is listed anew, and where somebody asks for it. What was read before
// stays until a list is whole: neither half a list nor an outage is ever an empty cluster.
//
// The first list is the one that the server has in its memory (resourceVersion=0), as that of the
// kubelet and kube-proxy is; it comes in one page. It may be a moment old: the watch goes on from
// its version. So a cluster that starts all at once does not read everything out of etcd once a
// node. Later lists are consistent ones.
//
// Between failures it waits 100 ms doubling to a longest pause, each time by a random half more or
// less, so that the nodes of a cluster do not come back all at once.
//
// Source: kubernetes.io/docs/reference/using-api/api-concepts (efficient detection of changes).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/health.h"
#include "base/lock_guarded.h"
#include "base/result.h"
#include "store/breakable_stream.h"
#include "store/kube_client.h"
#include "store/kube_object.h"
#include "store/kube_selection.h"
#include "store/kube_stream.h"

namespace weft {

/// Where the objects go. Called on the thread of one KubeListWatch.
class KubeSink {
 public:
  virtual ~KubeSink() = default;
  /// A list begins: what an earlier, unfinished one brought is void.
  virtual void begin() = 0;
  virtual void list_item(const KubeObject& object) = 0;
  /// The list is whole, and is the state from now on.
  virtual void commit() = 0;
  /// Whether anything is different now: a heartbeat of a Node is no news.
  virtual bool put(const KubeObject& object) = 0;
  virtual bool remove(const KubeMeta& meta) = 0;
};

struct KubeListWatchOptions {
  std::string path;  ///< of the collection: "/api/v1/nodes"
  KubeSelection selection = {};
  int page = 500;
  /// The server ends a watch after this time (and up to half as long again), the client a
  /// little later.
  std::chrono::seconds watch_time{300};
  /// The API sends a bookmark a minute: more silence is a dead connection.
  std::chrono::milliseconds watch_silence{90'000};
  KubeClient::Patience list_patience = {};
  /// Between two tries after failures, of 100 ms doubling.
  std::chrono::milliseconds longest_pause{10'000};
};

class KubeListWatch {
 public:
  /// `client` and `sink` must outlive it. `changed` is called after the sink's state or the
  /// health has changed, on the thread of the watch; it must return soon.
  KubeListWatch(const KubeClient& client, KubeListWatchOptions options, KubeSink& sink,
                std::function<void()> changed);
  /// Once. From then on the sink is called.
  void start();

  /// What keeps the state from being current, or success. Callable from any thread.
  Status health() const { return health_.get(); }

  /// Breaks off the watch's connection and goes on over a new one. Callable from any thread.
  void reconnect() { stream_.break_off(); }
  /// Of lists that begin from now on, and what follows them. Callable from any thread, as the next.
  void select(KubeSelection selection);
  /// Lists everything once more.
  void read_anew();

 private:
  void run(const std::stop_token& stop);
  Status list(const std::stop_token& stop);
  /// The continuation of the next page; empty after the last.
  Result<std::string> list_page(const std::string& continuation, const std::stop_token& stop);
  Status follow(const std::stop_token& stop);
  Status apply(std::string_view frame);
  std::string selection() const;
  void report(Status health);

  const KubeClient& client_;
  const KubeListWatchOptions options_;
  KubeSink& sink_;
  const std::function<void()> changed_;
  Health health_;
  BreakableStream stream_;
  LockGuarded<KubeSelection> wanted_;
  std::atomic<bool> is_to_read_anew_ = false;
  // Of the thread alone:
  KubeSelection selection_;  // of the last list
  bool complete_ = false;    // the sink has everything up to version_
  std::string version_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft
