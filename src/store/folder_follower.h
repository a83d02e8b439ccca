// folder_follower.h: the thread that keeps what was read of a folder's files current.
//
// One changed file costs the reading of that file. When events were dropped, or the folder went
// and came, everything is read anew; until that has worked the last view stays. Nothing is polled:
// the thread sleeps until an event, or until its reader wants to be woken.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/fd.h"
#include "base/result.h"
#include "store/folder_events.h"

namespace weft {

class FolderFollower {
 public:
  /// What is done with the files. Called on the follower's thread.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual Status read_everything() = 0;
    /// After an error everything is read anew.
    virtual Status apply(const FolderEvents::Batch& batch) = 0;
    /// When on_time() is wanted next, counted from now; nothing: never.
    virtual std::optional<std::chrono::milliseconds> until_next() { return std::nullopt; }
    virtual void on_time() {}
    /// What keeps the view from being current, or success.
    virtual void report(Status health) = 0;
  };

  /// Starts at once. `what` is what the files hold, for errors: "the leases". The reader must
  /// outlive it.
  FolderFollower(std::string folder, std::string what, Reader& reader);
  ~FolderFollower();

 private:
  void run(const std::stop_token& stop);
  Status follow(const std::stop_token& stop);
  Status settle(FolderEvents::Batch& batch);

  const std::string folder_;
  const std::string what_;
  Reader& reader_;
  FolderEvents events_;
  Fd wake_;              // an eventfd, readable once the thread shall end
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft
