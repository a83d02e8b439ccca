// folder_events.h: what happens in one folder, and to the way that leads to it.
//
// inotify follows inodes and not names: a folder that is renamed away and made anew would be
// followed into its grave. So every folder on the way is watched for its own removal, and
// where the way ends, for the appearance of the next part. Used by one thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace weft {

class FolderEvents {
 public:
  /// `folder` is an absolute path, or one from the current directory.
  explicit FolderEvents(std::string folder) : folder_(std::move(folder)) {}

  /// Starts anew, dropping every event that is still to be read. False when the folder does
  /// not exist: then its appearance is what wait() waits for.
  Result<bool> arm();

  struct Batch {
    bool lost = false;           ///< the folder went, came, or events were dropped: arm() again
    std::set<std::string> put;   ///< names that have been written or have come
    std::set<std::string> gone;  ///< names that have gone, some perhaps only for a moment
    bool empty() const { return !lost && put.empty() && gone.empty(); }
  };

  /// Waits for something to happen, or for `limit` (nothing: for ever), or until `wake` can be
  /// read. The batch of a wait that ended without an event is empty.
  Result<Batch> wait(const Fd& wake, std::optional<std::chrono::milliseconds> limit);

 private:
  void note(const char* buffer, std::size_t size, Batch& batch) const;

  std::string folder_;
  Fd inotify_;
  int folder_watch_ = -1;  // -1 while the folder does not exist
};

}  // namespace weft
