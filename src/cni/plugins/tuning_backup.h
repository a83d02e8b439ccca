// tuning_backup.h: what a device was like before tuning changed it, on disk for DEL.
//
// The file is the Go plugin's, byte for byte (containernetworking/plugins, plugins/meta/tuning), so
// that either side restores what the other has changed: DATADIR/CONTAINER_IFNAME.json. Since it
// does not tell which network it belongs to, GC finds it by a second name of the same file:
// DATADIR/.weft/NETWORK/CONTAINER_IFNAME.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cni/attachments.h"
#include "cni/plugins/tuning_config.h"

namespace weft::cni {

/// The attributes' JSON as Go indents it. Only what is set is in it; the text of nothing is "{}".
std::string encode_tuning_backup(const TuningAttributes& attributes);
/// Nothing when the text is no such backup.
CniResult<TuningAttributes> decode_tuning_backup(std::string_view text);

class TuningBackup {
 public:
  explicit TuningBackup(const Call& call);

  /// Keeps the attributes. What an earlier tuning plugin of the same chain has kept stays as it is:
  /// that is what the device was like at first.
  Status keep(const TuningAttributes& before) const;
  /// Nothing where there is none, or where it cannot be read.
  TuningAttributes read() const;
  Status remove() const;

  /// Removes those of the call's network that belong to none of the attachments.
  static Status collect(const Call& call, const std::vector<Attachment>& valid);

 private:
  std::string file_;
  std::string folder_;  // of file_
  std::string link_;    // its second name
  std::string link_folder_;
};

}  // namespace weft::cni
