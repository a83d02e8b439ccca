#include "cni/plugins/firewall.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "cni/attachment_name.h"
#include "cni/interface.h"
#include "cni/main_plugin.h"
#include "cni/plugins/firewall_config.h"
#include "cni/plugins/firewall_rules.h"
#include "cni/plugins/firewalld.h"
#include "cni/rollback.h"
#include "kernel/iptables_tables.h"

namespace weft::cni {
namespace {

using Backend = FirewallConfig::Backend;

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};
// From 0.4.0: an older version hands no result to DEL.
constexpr Versions kVersions = Versions(kAllVersions).subspan(4);
static_assert(kVersions.front() == "0.4.0");
constexpr const char* kTable = "filter";

kernel::IptablesScope scope(Family family, const FirewallConfig& config) {
  return {.family = family, .table = kTable, .chains = firewall_chains(config)};
}

Backend backend_of(const FirewallConfig& config) {
  if (config.backend) return *config.backend;
  return firewalld_runs() ? Backend::kFirewalld : Backend::kIptables;
}

std::vector<IpAddress> of_family(const std::vector<IpAddress>& addresses, Family family) {
  std::vector<IpAddress> some;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(some),
               [&](const IpAddress& address) { return address.family() == family; });
  return some;
}

// What the plugin wants for one container.
struct Wanted {
  FirewallConfig config = {};
  Backend backend = Backend::kIptables;
  std::string owner = {};
  std::vector<IpAddress> addresses = {};
  std::string bridge = {};  // with an ingress policy

  IptablesEdits plan(Family family, const PresentChains& present) const {
    const auto accepted =
        backend == Backend::kIptables ? of_family(addresses, family) : std::vector<IpAddress>();
    return plan_firewall(config, owner, accepted, bridge, present);
  }
  // A family that the container does not have needs nothing.
  bool needs(Family family) const { return !of_family(addresses, family).empty(); }
};

CniResult<Wanted> wanted_by(const Call& call, const AddResult& result) {
  Wanted wanted{.owner = attachment_hash(attachment_of(call))};
  ASSIGN_OR_RETURN(wanted.config, read_firewall_config(call));
  if (wanted.config.policy != FirewallConfig::IngressPolicy::kOpen) {
    ASSIGN_OR_RETURN(wanted.bridge, policed_bridge(result, wanted.config));
  }
  for (const auto& ip : result.ips) wanted.addresses.push_back(ip.address.address);
  wanted.backend = backend_of(wanted.config);
  return wanted;
}

CniResult<AddResult> result_before(const Call& call) {
  ASSIGN_OR_RETURN(auto previous, previous_result(call.config, call.version));
  if (!previous) return refuse("missing prevResult from earlier plugin");
  return *std::move(previous);
}

CniStatus remove_rules(const FirewallConfig& config,
                       const std::function<bool(const std::string&)>& is_owner,
                       const std::vector<IpAddress>& addresses) {
  CniStatus result;
  auto iptables = kernel::IptablesAccess::open();
  for (const Family family : kFamilies) {
    const Status removed = iptables.clean(scope(family, config), [&](const PresentChains& present) {
      return plan_firewall_removal(is_owner, of_family(addresses, family), present);
    });
    if (!removed && result) result = CniFailure(removed.error());
  }
  return result;
}

CniStatus remove(const FirewallConfig& config, Backend backend, const std::string& owner,
                 const std::vector<IpAddress>& addresses) {
  if (backend == Backend::kFirewalld) remove_firewalld_sources(config.zone, addresses);
  return remove_rules(
      config, [&](const std::string& other) { return other == owner; }, addresses);
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(AddResult previous, result_before(call));
  ASSIGN_OR_RETURN(const Wanted wanted, wanted_by(call, previous));
  Rollback rollback;
  rollback.push(
      [&] { (void)remove(wanted.config, wanted.backend, wanted.owner, wanted.addresses); });
  if (wanted.backend == Backend::kFirewalld)
    RETURN_IF_ERROR(add_firewalld_sources(wanted.config.zone, wanted.addresses));
  auto iptables = kernel::IptablesAccess::open();
  for (const Family family : kFamilies)
    if (wanted.needs(family))
      RETURN_IF_ERROR(iptables.change(
          scope(family, wanted.config),
          [&](const PresentChains& present) { return wanted.plan(family, present); }));
  rollback.keep();
  return previous;
}

std::vector<IpAddress> known_addresses(const Call& call) {
  std::vector<IpAddress> addresses;
  const auto previous = previous_result(call.config, call.version);
  if (previous && *previous) {
    for (const auto& ip : (*previous)->ips) addresses.push_back(ip.address.address);
  } else {
    for (const auto& one : addresses_in_container(call.environment))
      addresses.push_back(one.address);
  }
  return addresses;
}

// A configuration that an ADD would refuse is no reason to leave rules behind.
CniStatus del(const Call& call) {
  const FirewallConfig config = read_firewall_config(call).value_or(FirewallConfig{});
  const auto addresses = known_addresses(call);
  const Backend backend = addresses.empty() ? Backend::kIptables : backend_of(config);
  return remove(config, backend, attachment_hash(attachment_of(call)), addresses);
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const AddResult previous, result_before(call));
  ASSIGN_OR_RETURN(const Wanted wanted, wanted_by(call, previous));
  if (wanted.backend == Backend::kFirewalld)
    RETURN_IF_ERROR(check_firewalld_sources(wanted.config.zone, wanted.addresses));
  auto iptables = kernel::IptablesAccess::open();
  for (const Family family : kFamilies) {
    if (!wanted.needs(family)) continue;
    ASSIGN_OR_RETURN(const PresentChains present, iptables.read(scope(family, wanted.config)));
    if (const auto wrong = complaint(wanted.plan(family, present), kTable))
      return refuse("expected firewall rules are missing: " + *wrong);
  }
  return {};
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto valid, valid_attachments(call.config));
  const StaleOwners stale(call.network, valid);
  return remove_rules(FirewallConfig{},
                      [&](const std::string& owner) { return stale.contains(owner); }, {});
}

}  // namespace

const Plugin kFirewall{.name = "firewall",
                       .add = add,
                       .del = del,
                       .check = check,
                       .status = nullptr,
                       .gc = gc,
                       .versions = kVersions,
                       .kind = Kind::kMeta};

}  // namespace weft::cni
