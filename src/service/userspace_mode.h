// userspace_mode.h: services in userspace mode: rules send clients to the node itself, and the
// relay carries them to an endpoint.
//
// Theory of operation. Every port of a service has a port of the node, at which the relay takes
// clients in; the rules of iptables lead there (portal_rules.h). A node port is taken in earnest as
// well, so that nobody else can have it and it works at loopback addresses; one that somebody has
// already is left to it. Rules change only with addresses and ports: endpoints are the relay's
// business. What is open ends with the process, so a start writes all rules anew, and clients that
// came in meanwhile were refused.
//
// As of old, clients' addresses are lost, and there are no traffic policies and no source ranges.
// An endpoint that does not answer is passed over, which no other mode can do.
//
// Source: k8s.io/kubernetes pkg/proxy/userspace (1.25).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kernel/rtnetlink.h"
#include "service/iptables_keeper.h"
#include "service/portals.h"
#include "service/proxy_mode.h"

namespace weft::service {

struct UserspaceSettings {
  /// Of the node; for a family without one here, that of the first link that has any.
  std::vector<IpAddress> node_addresses = {};
  RelayOptions relay = {};
  std::string flavour = {};  ///< see kernel::Iptables::find()
};

class UserspaceMode : public ProxyMode {
 public:
  /// Fails where a program of iptables is missing.
  static Result<UserspaceMode> open(const std::vector<RuleOptions>& families,
                                    const UserspaceSettings& settings);

  std::string_view name() const override { return "userspace"; }
  Status start(const std::vector<PlannedService>& services) override;
  Status apply(const std::vector<PlannedService>& changed) override;
  /// Nothing of them matters here.
  Status set_options(const std::vector<RuleOptions>& /*families*/) override { return {}; }
  Result<std::vector<std::string>> repair() override;
  Status remove() override;
  bool is_concerned(const kernel::KernelEvent& event) const override {
    return keeper_.is_concerned(event);
  }
  Result<std::uint32_t> port() const override { return 0; }
  bool needs_legacy_watch() const override { return keeper_.needs_legacy_watch(); }

 private:
  struct Kept {
    std::optional<IpAddress> node_address = {};
    std::unique_ptr<Portals> portals = {};
    IptablesContents written = {};
  };

  UserspaceMode(IptablesKeeper keeper, std::unique_ptr<Relay> relay, kernel::Rtnetlink rtnetlink,
                std::vector<IpAddress> node_addresses)
      : keeper_(std::move(keeper)),
        relay_(std::move(relay)),
        rtnetlink_(std::move(rtnetlink)),
        node_addresses_(std::move(node_addresses)) {}
  std::unique_ptr<Portals> make_portals(Family family) const;
  Status find_node_addresses();
  Result<std::vector<std::string>> settle();

  IptablesKeeper keeper_;
  std::unique_ptr<Relay> relay_;
  kernel::Rtnetlink rtnetlink_;
  std::vector<IpAddress> node_addresses_;
  std::map<Family, Kept> families_;
};

}  // namespace weft::service
