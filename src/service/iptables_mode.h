// iptables_mode.h: services in the kernel, in iptables mode: kube-proxy's chains, by the programs
// of iptables.
//
// Theory of operation. start() and repair() read the tables with iptables-save and have
// iptables-restore write what differs: on a node that kube-proxy has left, chain for chain what is
// not as wanted, and mostly nothing; kube-proxy takes the node back in the same way. apply() reads
// nothing: it writes the chains of what has changed, and the chains that all services share only
// when an address or a port has come or gone.
//
// Used by one thread. Acts in the network namespace of the calling thread, which must always be the
// same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "service/iptables_keeper.h"
#include "service/iptables_services.h"
#include "service/proxy_mode.h"

namespace weft::service {

struct IptablesSettings {
  /// See IptablesOptions. Sets the sysctl route_localnet.
  bool localhost_node_ports = true;
  /// See kernel::Iptables::find().
  std::string flavour = {};
};

class IptablesMode : public ProxyMode {
 public:
  /// Fails where a program of a family is missing.
  static Result<IptablesMode> open(const std::vector<RuleOptions>& families,
                                   const IptablesSettings& settings = {});

  std::string_view name() const override { return "iptables"; }
  Status start(const std::vector<PlannedService>& services) override;
  Status apply(const std::vector<PlannedService>& changed) override;
  Status set_options(const std::vector<RuleOptions>& families) override;
  Result<std::vector<std::string>> repair() override;
  Status remove() override;
  bool is_concerned(const kernel::KernelEvent& event) const override {
    return keeper_.is_concerned(event);
  }
  Result<std::uint32_t> port() const override { return 0; }
  bool needs_legacy_watch() const override { return keeper_.needs_legacy_watch(); }

 private:
  IptablesMode(IptablesKeeper keeper, bool localhost_node_ports);

  IptablesOptions options_for(const RuleOptions& rules) const;
  Result<std::vector<std::string>> settle();

  IptablesKeeper keeper_;
  bool localhost_node_ports_;
  bool drop_invalid_;
  bool started_ = false;
  std::map<Family, IptablesServices> services_;
};

}  // namespace weft::service
