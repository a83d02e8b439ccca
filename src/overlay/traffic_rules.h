// traffic_rules.h: keeps the masquerade and forward rules in the packet filter.
//
// Reads what is there, plans, applies the difference. In iptables mode that runs iptables-save,
// and iptables-restore when something differs; whoever calls does so only when the packet
// filter has changed. In nftables mode no program is run, with one exception: where iptables
// drops what is forwarded, no table of ours can win, and the pods' packets are accepted there.
//
// iptables has two variants with tables of their own, and a packet passes both. The one that
// `iptables` stands for gets our rules; the other, where the node uses it, loses what an agent
// before us left there, and accepts the pods' packets where it drops.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kernel/iptables.h"
#include "kernel/nftables.h"
#include "net/iptables.h"
#include "overlay/iptables_edits.h"
#include "overlay/masquerade_plan.h"
#include "overlay/net_conf.h"
#include "overlay/pass_report.h"

namespace weft::overlay {

/// Acts in the network namespace of the calling thread, which must always be the same.
class TrafficRules {
 public:
  /// `agent`: see nftables_table().
  TrafficRules(const NetConf& conf, std::string agent)
      : nftables_mode_(conf.nftables), agent_(std::move(agent)) {}

  /// Brings the rules of one family to their plan; what the other mode left is removed.
  Status settle(const MasqueradeFacts& facts, PassReport& report);

  /// iptables of a family, looked for once; the failure when its programs are missing.
  Result<const kernel::Iptables*> iptables(Family family);

 private:
  /// The rules of one variant of iptables. `whole`: all of them, and not only what is needed
  /// where it drops.
  Status settle_iptables(const kernel::Iptables& programs, MasqueradeFacts facts, bool whole,
                         PassReport& report);
  /// The variant that `iptables` does not stand for.
  Status settle_other_variant(const kernel::Iptables& usual, const MasqueradeFacts& facts,
                              PassReport& report);
  Status settle_nftables(const MasqueradeFacts& facts, PassReport& report);
  Result<kernel::Nftables*> nftables();
  Result<bool> has_nftables_table(const nft::TableId& id);
  Status restore(const kernel::Iptables& iptables, const std::vector<IptablesEdit>& edits,
                 PassReport& report);
  Status remove_nftables_table(Family family, PassReport& report);

  bool nftables_mode_;
  std::string agent_;
  std::map<Family, kernel::Iptables> iptables_;
  std::optional<kernel::Nftables> nftables_;
};

}  // namespace weft::overlay
