// directory_watch.h: follows the lease files of a directory store with inotify.
//
// One changed file costs the reading of that file. When events were dropped, or the folder
// went and came, everything is read anew; until that has worked the last view stays. Nothing
// is polled: the thread sleeps until an event or until the next lease expires.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>

#include "base/fd.h"
#include "store/directory_store.h"
#include "store/folder_events.h"
#include "store/lease_table.h"

namespace weft {

class DirectoryWatch : public LeaseWatch {
 public:
  DirectoryWatch(std::string folder, WallClock now, LeaseStore::Changed changed);
  ~DirectoryWatch() override;

  std::shared_ptr<const LeaseView> view() const override { return table_.view(); }
  Status health() const override { return table_.health().get(); }

 private:
  void run(const std::stop_token& stop);
  Status read_everything();
  Status follow(const std::stop_token& stop);
  Status settle(FolderEvents::Batch& batch);
  std::optional<std::chrono::milliseconds> until_next_expiry() const;
  Status apply(const FolderEvents::Batch& batch);
  void drop_expired();
  void report(Status health);

  const std::string folder_;
  const WallClock now_;
  const LeaseStore::Changed changed_;
  LeaseTable table_;
  FolderEvents events_;
  Fd wake_;              // an eventfd, readable once the thread shall end
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft
