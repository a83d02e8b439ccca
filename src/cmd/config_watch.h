// config_watch.h: tells when the contents of a configuration file change.
//
// As a file of a ConfigMap does: its name is a link, and the folder that it leads to is replaced.
// So all that happens in the file's folder makes it read again, and the contents are compared.
#pragma once

#include <functional>
#include <string>

#include "store/folder_follower.h"

namespace weft::cmd {

class ConfigWatch : private FolderFollower::Reader {
 public:
  /// `changed` is called once, on a thread of the watch, when the file holds something else than
  /// `contents`; a file that is away or empty has not changed.
  ConfigWatch(std::string path, std::string contents, std::function<void()> changed);

 private:
  Status read_everything() override { return compare(); }
  Status apply(const FolderEvents::Batch& /*batch*/) override { return compare(); }
  void report(Status health) override;
  Status compare();

  const std::string path_;
  const std::string contents_;
  std::function<void()> changed_;
  FolderFollower follower_;  // last, so that its thread is joined before the rest is gone
};

}  // namespace weft::cmd
