// reconciler.h: brings the kernel of this node to what the leases say, one pass at a time.
//
// A pass reads what is there, plans what should be, and applies the difference. It is the same
// for the first start, for a take-over from flannel, for a joining peer and for the repair of
// what somebody deleted. It never waits for a store: it works from the last whole view of the
// leases, so an outage changes nothing.
//
// Lives on one thread, in the network namespace in which it was opened.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "cluster/lease.h"
#include "cluster/subnet_env.h"
#include "kernel/rtnetlink.h"
#include "overlay/data_plane.h"
#include "overlay/net_conf.h"
#include "overlay/pass_report.h"
#include "overlay/traffic_rules.h"
#include "overlay/uplink.h"
#include "overlay/uplink_keeper.h"

namespace weft::overlay {

class Reconciler {
 public:
  struct Options {
    UplinkOptions uplink;  ///< as the command line has it
    std::string subnet_file = "/run/flannel/subnet.env";
    bool masquerade = false;
    bool forward_rules = true;
    bool random_fully = true;
    bool blackhole_route = false;
  };

  struct Outcome {
    std::vector<std::string> failures;  ///< what could not be brought to its plan
    std::vector<std::string> refusals;  ///< what of other nodes is not taken
    /// What keeps packets from their way and is not ours to change: one line each.
    std::vector<std::string> obstacles;
    PassCause cause = PassCause::kStart;
    /// How many objects were not as planned and were changed, by kind: "routes".
    std::map<std::string, std::size_t> edits = {};
    std::map<Family, std::size_t> peers = {};  ///< that were to be in the kernel
    bool uplink_changed = false;               ///< the lease has to be published anew
    bool ready = false;                        ///< subnet.env tells of this lease
  };

  /// Each pass refreshes `uplink`, which the lease keeper publishes; `former` is what subnet.env
  /// said when the agent started. The references outlive *this.
  static Result<std::unique_ptr<Reconciler>> open(const NetConf& conf, Options options,
                                                  const std::optional<LeaseKey>& former,
                                                  UplinkKeeper& uplink, DataPlane& data_plane);

  /// What of the packet filter may have changed since the last pass. Reading it is not free.
  struct FilterChanges {
    bool ours = false;    ///< iptables, or our own tables
    bool others = false;  ///< other tables of nftables
  };

  /// `own` is this node's lease, `view` the last whole view of all.
  Outcome pass(const Lease& own, const std::shared_ptr<const LeaseView>& view,
               const FilterChanges& filter);

  /// iptables of a family, for which programs are run at the first call.
  Result<const kernel::Iptables*> iptables(Family family) { return rules_.iptables(family); }
  /// The number of the socket through which the passes change the kernel.
  Result<std::uint32_t> port() const { return rtnetlink_.port(); }

  /// The leases of the last pass; nothing before the first.
  const std::shared_ptr<const LeaseView>& planned_view() const { return planned_view_; }

  /// Devices whose events matter: the uplink and the data plane's, by their present numbers.
  const std::vector<LinkIndex>& watched_links() const { return watched_links_; }

 private:
  Reconciler(const NetConf& conf, Options options, const std::optional<LeaseKey>& former,
             UplinkKeeper& uplink, DataPlane& data_plane, kernel::Rtnetlink rtnetlink)
      : conf_(conf),
        options_(std::move(options)),
        former_(former),
        uplink_keeper_(uplink),
        data_plane_(data_plane),
        rtnetlink_(std::move(rtnetlink)),
        rules_(conf, agent_name(options_.subnet_file)) {}

  /// Returns how many peers there are of each family.
  std::map<Family, std::size_t> settle_data_plane(const Lease& own, const LeaseView& view,
                                                  PassReport& report);
  Status settle_blackhole(Family family, const Lease& own, PassReport& report);
  /// Takes away what a former backend has left, before its routes look like somebody else's.
  Status remove_stale_devices(PassReport& report);
  void settle_rules(const Lease& own, PassReport& report);
  /// Looks for what drops the pods' packets in spite of our rules.
  void find_obstacles(const Lease& own, PassReport& report);
  Status write_subnet_env(const Lease& own);
  /// Names what is refused since this pass, and not again while it stays.
  void log_refusals(const std::vector<std::string>& refusals);

  const NetConf& conf_;
  const Options options_;
  const std::optional<LeaseKey> former_;
  UplinkKeeper& uplink_keeper_;
  DataPlane& data_plane_;
  kernel::Rtnetlink rtnetlink_;
  TrafficRules rules_;
  Uplink uplink_;  // as of this pass
  std::vector<LinkIndex> watched_links_;
  std::vector<std::string> obstacles_;
  std::set<std::string> refused_;                  // in the last pass
  std::shared_ptr<const LeaseView> planned_view_;  // of the last pass
  bool first_pass_ = true;
  RateLimit quiet_{std::chrono::seconds(60)};
};

}  // namespace weft::overlay
