// directory_watch.h: follows the lease files of a directory store.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "store/directory_store.h"
#include "store/folder_follower.h"
#include "store/lease_table.h"

namespace weft {

class DirectoryWatch final : public LeaseWatch, private FolderFollower::Reader {
 public:
  DirectoryWatch(std::string folder, WallClock now, LeaseStore::Changed changed);

  std::shared_ptr<const LeaseView> view() const override { return table_.view(); }
  Status health() const override { return table_.health().get(); }

 private:
  Status read_everything() override;
  Status apply(const FolderEvents::Batch& batch) override;
  /// The time of the lease that expires first.
  std::optional<std::chrono::milliseconds> until_next() override;
  void on_time() override;
  void report(Status health) override;

  const std::string folder_;
  const WallClock now_;
  const LeaseStore::Changed changed_;
  LeaseTable table_;
  FolderFollower follower_;  // last, so that its thread is joined before the rest is gone
};

}  // namespace weft
