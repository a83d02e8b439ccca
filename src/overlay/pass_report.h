// pass_report.h: what one pass of the reconciler found and did, as one log line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::overlay {

/// Why a pass had something to do.
enum class PassCause {
  kStart,  ///< the first pass: adopts what is there and completes it
  kPeers,  ///< the store's leases have changed
  kDrift,  ///< somebody else changed what is ours
};

class PassReport {
 public:
  /// One object that was not as planned: `found` ("missing", "different", "stale") and `done`
  /// ("put", "replaced", "removed", "created"). `kind` is the plural that long lists are summed
  /// up under: "routes".
  void edit(std::string_view kind, std::string object, std::string found, std::string done);
  /// One object that could not be brought to its plan: the pass is made again soon.
  void failure(std::string what);
  /// Something of another node that is not taken, or is taken with doubt: whatever that node
  /// publishes, this one works, and no new try would change it.
  void refusal(std::string what);
  /// The same, where there was a failure.
  void note(const Status& status) {
    if (!status) failure(status.error().text());
  }

  std::map<std::string, std::size_t> edits_by_kind() const;
  const std::vector<std::string>& failures() const { return failures_; }
  const std::vector<std::string>& refusals() const { return refusals_; }

  /// "repaired: link flannel.1 missing: created; route 10.244.2.0/24 missing: put". More than a
  /// few objects of a kind are counted and not named. Empty when nothing was edited.
  std::string line(PassCause cause) const;

 private:
  struct Edit {
    std::string kind;
    std::string object;
    std::string found;
    std::string done;
  };
  std::vector<Edit> edits_;
  std::vector<std::string> failures_;
  std::vector<std::string> refusals_;
};

}  // namespace weft::overlay
