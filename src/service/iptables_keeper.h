// iptables_keeper.h: keeps the chains of a mode of the proxy in iptables, in both families.
//
// That somebody else has written is told by netlink events of iptables' own tables, or for the
// legacy variant by its lock file; there is no canary to be looked after. What is written here
// looks like others' changes there. So the number of the ruleset's generation is kept: as long as
// that is what our own commits came to, there is nothing to be read.
//
// Used by one thread. Acts in the network namespace of the calling thread, which must always be the
// same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/iptables.h"
#include "kernel/monitor.h"
#include "kernel/nftables.h"
#include "service/iptables_update.h"

namespace weft::service {

class IptablesKeeper {
 public:
  /// `design` must outlive it; `flavour` is that of kernel::Iptables::find(). Fails where a program
  /// of a family is missing.
  static Result<IptablesKeeper> open(const IptablesDesign& design,
                                     const std::vector<Family>& families,
                                     const std::string& flavour);

  /// Reads the tables and writes what differs from what a family is to have. Returns what was done,
  /// in words.
  using Wish = std::function<IptablesContents(Family)>;
  Result<std::vector<std::string>> settle(const Wish& wish);
  /// Whether nobody else has written since settle() or apply() has succeeded, so that reading would
  /// show nothing new. In the legacy variant nobody knows.
  bool is_untouched();
  /// Writes what is known to be needed. Each family is tried.
  Status apply(const std::map<Family, IptablesUpdate>& updates);
  /// Takes the chains of the design away.
  Status remove();

  const kernel::Iptables& programs(Family family) const { return programs_.at(family); }
  /// Whether only the lock file of iptables tells of others' changes (kernel/legacy_watch.h).
  bool needs_legacy_watch() const;
  bool is_concerned(const kernel::KernelEvent& event) const;

 private:
  explicit IptablesKeeper(const IptablesDesign& design) : design_(&design) {}

  Result<std::vector<std::string>> settle_family(const kernel::Iptables& programs,
                                                 const IptablesContents& wanted);
  Status write(const kernel::Iptables& programs, const IptablesUpdate& update);
  /// Of the ruleset; nothing in the legacy variant.
  std::optional<std::uint32_t> generation();
  /// To be called when what was done on top of `before` has succeeded.
  void note_own_commits(std::optional<std::uint32_t> before);

  const IptablesDesign* design_;
  std::map<Family, kernel::Iptables> programs_;
  std::optional<kernel::Nftables> nftables_;     // to ask for the generation
  std::uint32_t commits_ = 0;                    // since the generation was last asked for
  std::optional<std::uint32_t> own_generation_;  // the tables are as wanted as of this one
};

}  // namespace weft::service
