// extension_data_plane.h: the extension backend: the operator's own commands carry the packets.
//
// A command runs when something changed and never to look whether all is well: what it does is
// its own. One that fails is tried again, at longer and longer distances, and its peer is named
// in the log and in status.json until it succeeds. flannel tries once.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "overlay/data_plane.h"
#include "overlay/extension_plan.h"

namespace weft::overlay {

class ExtensionDataPlane final : public DataPlane {
 public:
  /// After this a command is killed, with all that it started.
  static constexpr std::chrono::seconds kCommandLimit{30};

  /// Runs PreStartupCommand, whose standard output peers are told. Fails when it fails.
  static Result<std::unique_ptr<DataPlane>> open(const NetConf& conf,
                                                 const ExtensionBackend& backend,
                                                 std::chrono::milliseconds limit = kCommandLimit);

  BackendData publish(const std::optional<Lease>& before) override;
  std::uint32_t pod_mtu(const Uplink& uplink) const override { return uplink.mtu(); }
  std::optional<PeerRules> peer_rules() const override {
    return PeerRules{.backend_type = "extension", .read_data = {}};
  }
  std::vector<LinkIndex> settle(const Pass& pass) override;

 private:
  using Clock = std::chrono::steady_clock;

  /// What the commands were last told about a node, and how that went.
  struct Told {
    ExtensionNode node = {};  ///< as they know it; no subnets: they do not
    unsigned failures = 0;
    std::string error = {};
    Clock::time_point again = {};
  };

  ExtensionDataPlane(const NetConf& conf, ExtensionBackend backend, std::chrono::milliseconds limit,
                     const std::string& printed)
      : networks_(conf.networks),
        backend_(std::move(backend)),
        limit_(limit),
        data_(extension_data_to_json(printed)) {}

  Status run(const CommandTemplate& command, const ExtensionNode& node);
  /// Does the work unless it failed a short while ago; names the object while it fails.
  static void attempt(Told& told, const std::string& object, const std::function<Status()>& work,
                      PassReport& report);
  /// True once PostStartupCommand has succeeded for what this node is now.
  bool settle_own(const Pass& pass);
  void settle_peer(Told& told, const ExtensionNode& wanted, PassReport& report);
  void remove_peer(const ExtensionNode& node, PassReport& report);

  const std::map<Family, PodNetwork> networks_;
  const ExtensionBackend backend_;
  const std::chrono::milliseconds limit_;
  const std::string data_;
  Told own_;
  std::map<LeaseKey, Told> peers_;
};

}  // namespace weft::overlay
