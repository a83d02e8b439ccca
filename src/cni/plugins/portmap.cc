#include "cni/plugins/portmap.h"

#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/process.h"
#include "cni/interface.h"
#include "cni/main_plugin.h"
#include "cni/plugins/portmap_config.h"
#include "cni/plugins/portmap_flows.h"
#include "cni/plugins/portmap_rules.h"
#include "cni/rollback.h"
#include "kernel/conntrack.h"
#include "kernel/iptables.h"
#include "kernel/iptables_tables.h"
#include "kernel/nftables.h"
#include "kernel/sysctl.h"

namespace weft::cni {
namespace {

using kernel::IptablesAccess;
using kernel::Nftables;
using kernel::Rtnetlink;
using kernel::Transaction;
using Backend = PortmapConfig::Backend;

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

kernel::IptablesScope scope(Family family, const std::string& chain) {
  return {.family = family, .table = "nat", .chains = portmap_chains(chain)};
}

// Flows.

CniStatus remove_flows(const PortMapping& mapping, Family family,
                       const std::function<bool(const ConntrackEntry&)>& goes) {
  ASSIGN_OR_RETURN(auto conntrack, kernel::Conntrack::open());
  ASSIGN_OR_RETURN(const auto entries,
                   conntrack.list({.family = family,
                                   .protocol = static_cast<std::uint8_t>(mapping.protocol),
                                   .original_destination_port = mapping.host_port}));
  for (const auto& entry : entries)
    if (goes(entry)) RETURN_IF_ERROR(conntrack.remove(entry));
  return {};
}

CniStatus remove_bypassing_flows(const PortmapConfig& config, const IpAddress& container) {
  std::optional<std::set<IpAddress>> local;
  for (const auto& mapping : config.mappings) {
    if (!keeps_flows(mapping) || !mapping.is_of(container.family())) continue;
    if (!local) {
      ASSIGN_OR_RETURN(auto rtnetlink, Rtnetlink::open());
      ASSIGN_OR_RETURN(const auto addresses, rtnetlink.addresses());
      local.emplace();
      for (const auto& one : addresses) local->insert(one.key.address.address);
    }
    RETURN_IF_ERROR(remove_flows(mapping, container.family(), [&](const ConntrackEntry& entry) {
      return bypasses(entry, mapping, container, *local);
    }));
  }
  return {};
}

CniStatus remove_own_flows(const PortmapConfig& config, const IpAddress& container) {
  for (const auto& mapping : config.mappings)
    if (keeps_flows(mapping) && mapping.is_of(container.family()))
      RETURN_IF_ERROR(remove_flows(mapping, container.family(), [&](const ConntrackEntry& entry) {
        return was_made_by(entry, mapping, container);
      }));
  return {};
}

// Rules.

CniResult<Nftables*> need_nftables(IptablesAccess& iptables) {
  if (iptables.nftables() == nullptr) return refuse("the kernel has no nf_tables");
  return iptables.nftables();
}

CniStatus forward_with_nftables(IptablesAccess& iptables, const PortmapConfig& config,
                                const AttachmentName& attachment,
                                const InterfaceAddress& container) {
  const Family family = container.address.family();
  const nft::TableId table = hostport_table(family);
  ASSIGN_OR_RETURN(Nftables * nftables, need_nftables(iptables));
  const Status done = nftables->change(table, [&](const auto& present, Transaction& transaction) {
    const auto wanted = with_hostports(config, attachment, container, present);
    for (const auto& edit : nft::plan_table(wanted, present)) transaction.add(table, edit);
  });
  if (!done)
    return because("unable to set up nftables rules for port mappings", CniError(done.error()));
  const auto& conditions = config.conditions(family);
  if (understands_nft_conditions(conditions, family)) return {};
  RETURN_IF_ERROR(run_or_fail(
      {.argv = {"nft", "-f", "-"}, .input = nft_conditions_script(conditions, family)}));
  return {};
}

CniStatus forward_with_iptables(IptablesAccess& iptables, const PortmapConfig& config,
                                const AttachmentName& attachment,
                                const InterfaceAddress& container) {
  const Status done =
      iptables.change(scope(container.address.family(), container_chain(attachment, kDnatMark)),
                      [&](const PresentChains& present) {
                        return plan_portmap(config, attachment, container, present);
                      });
  if (!done) return because("unable to setup DNAT", CniError(done.error()));
  return {};
}

CniStatus forward(IptablesAccess& iptables, const PortmapConfig& config,
                  const AttachmentName& attachment, const InterfaceAddress& container) {
  return config.backend == Backend::kNftables
             ? forward_with_nftables(iptables, config, attachment, container)
             : forward_with_iptables(iptables, config, attachment, container);
}

// So that what comes from 127.0.0.1 may leave through the container's bridge.
CniStatus route_loopback(const IpAddress& container) {
  ASSIGN_OR_RETURN(auto rtnetlink, Rtnetlink::open());
  const auto route = rtnetlink.route_to(container);
  if (!route || route->hops.empty()) return {};
  ASSIGN_OR_RETURN(const auto link, rtnetlink.link(route->hops.front().link));
  if (!link) return {};
  const Status written =
      kernel::write_sysctl("net/ipv4/conf/" + link->name + "/route_localnet", "1");
  if (!written) return because("unable to enable route_localnet", CniError(written.error()));
  return {};
}

CniStatus drop_from_nftables(IptablesAccess& iptables, Family family,
                             const std::function<bool(const nft::Rule&)>& goes) {
  Nftables* nftables = iptables.nftables();
  if (nftables == nullptr) return {};
  const nft::TableId table = hostport_table(family);
  RETURN_IF_ERROR(nftables->change(table, [&](const auto& present, Transaction& transaction) {
    if (!present) return;
    for (const auto& [chain, rules] : present->rules)
      for (const auto& rule : rules)
        if (goes(rule)) transaction.drop_rule(table, chain, rule.handle);
  }));
  return {};
}

CniStatus drop_from_iptables(IptablesAccess& iptables, Family family, const std::string& chain) {
  RETURN_IF_ERROR(iptables.clean(scope(family, chain), [&](const PresentChains& present) {
    return plan_portmap_removal(chain, present);
  }));
  return {};
}

// The first failure, after every step has been tried.
class Outcome {
 public:
  void add(CniStatus status) {
    if (result_) result_ = std::move(status);
  }
  CniStatus result() && { return std::move(result_); }

 private:
  CniStatus result_;
};

CniStatus remove_rules(IptablesAccess& iptables, const AttachmentName& attachment,
                       bool has_mappings) {
  Outcome outcome;
  for (const Family family : kFamilies) {
    outcome.add(drop_from_nftables(
        iptables, family, [&](const nft::Rule& rule) { return is_hostport_of(rule, attachment); }));
    // A container without mappings is no reason to run programs.
    if (has_mappings || !kernel::legacy_iptables_in_use(family))
      outcome.add(drop_from_iptables(iptables, family, container_chain(attachment, kDnatMark)));
  }
  return std::move(outcome).result();
}

// Commands.

CniResult<AddResult> add(const Call& call) {
  auto config = read_portmap_config(call);
  if (config) {
    if (const auto settled = settle_backend(*config, kernel::iptables_is_installed()); !settled)
      config = CniFailure(settled.error());
  }
  if (!config) return because("failed to parse config", config.error());
  ASSIGN_OR_RETURN(auto previous, previous_result(call.config, call.version));
  if (!previous) return refuse("must be called as chained plugin");
  if (config->mappings.empty()) return *std::move(previous);

  const AttachmentName attachment = attachment_of(call);
  auto iptables = IptablesAccess::open();
  Rollback rollback;
  rollback.push([&] { (void)remove_rules(iptables, attachment, true); });
  for (const auto& container : container_addresses(*previous, call.environment.ifname)) {
    RETURN_IF_ERROR(forward(iptables, *config, attachment, container));
    // After the rules, so that the flows' next packets meet them. A table of connections that
    // cannot be read is no reason to refuse a container.
    (void)remove_bypassing_flows(*config, container.address);
    if (config->snat && container.address.is_v4())
      RETURN_IF_ERROR(route_loopback(container.address));
  }
  rollback.keep();
  return *std::move(previous);
}

// What a DEL still knows of the container's addresses.
std::vector<InterfaceAddress> known_addresses(const Call& call) {
  const auto previous = previous_result(call.config, call.version);
  if (previous && *previous) return container_addresses(**previous, call.environment.ifname);
  return addresses_in_container(call.environment);
}

CniStatus del(const Call& call) {
  const auto config = read_portmap_config(call);
  const bool has_mappings = !config || !config->mappings.empty();
  auto iptables = IptablesAccess::open();
  Outcome outcome;
  outcome.add(remove_rules(iptables, attachment_of(call), has_mappings));
  if (config && has_mappings)
    for (const auto& address : known_addresses(call))
      (void)remove_own_flows(*config, address.address);
  return std::move(outcome).result();
}

CniStatus check_nftables(IptablesAccess& iptables, const PortmapConfig& config,
                         const AttachmentName& attachment, const InterfaceAddress& container) {
  ASSIGN_OR_RETURN(Nftables * nftables, need_nftables(iptables));
  ASSIGN_OR_RETURN(const auto present, nftables->read(hostport_table(container.address.family())));
  const auto edits =
      nft::plan_table(with_hostports(config, attachment, container, present), present);
  if (edits.empty()) return {};
  return refuse("hostport rules are not as they were made in nftables table " +
                hostport_table(container.address.family()).to_string() + ": " +
                nft::describe(edits.front()));
}

CniStatus check_iptables(IptablesAccess& iptables, const PortmapConfig& config,
                         const AttachmentName& attachment, const InterfaceAddress& container) {
  const Family family = container.address.family();
  ASSIGN_OR_RETURN(const PresentChains present,
                   iptables.read(scope(family, container_chain(attachment, kDnatMark))));
  const auto wrong = complaint(plan_portmap(config, attachment, container, present), "nat");
  if (!wrong) return {};
  return refuse(std::string("could not check ") + (family == Family::kIpv4 ? "ipv4" : "ipv6") +
                " dnat: " + *wrong);
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(PortmapConfig config, read_portmap_config(call));
  RETURN_IF_ERROR(settle_backend(config, kernel::iptables_is_installed()));
  ASSIGN_OR_RETURN(const auto previous, previous_result(call.config, call.version));
  if (!previous) return refuse("Required prevResult missing");
  if (config.mappings.empty()) return {};
  auto iptables = IptablesAccess::open();
  for (const auto& container : container_addresses(*previous, call.environment.ifname))
    RETURN_IF_ERROR(config.backend == Backend::kNftables
                        ? check_nftables(iptables, config, attachment_of(call), container)
                        : check_iptables(iptables, config, attachment_of(call), container));
  return {};
}

CniStatus collect_iptables(IptablesAccess& iptables, Family family, const Call& call,
                           const std::vector<Attachment>& valid) {
  ASSIGN_OR_RETURN(
      PresentChains present,
      iptables.read_all({.family = family, .table = "nat", .chains = {kHostportDnat}}));
  for (const auto& chain : stale_chains(present[kHostportDnat], call.network, valid, kDnatComment))
    RETURN_IF_ERROR(drop_from_iptables(iptables, family, chain));
  return {};
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto valid, valid_attachments(call.config));
  const StaleOwners stale(call.network, valid);
  auto iptables = IptablesAccess::open();
  Outcome outcome;
  for (const Family family : kFamilies) {
    outcome.add(drop_from_nftables(
        iptables, family, [&](const nft::Rule& rule) { return stale.contains(rule.owner); }));
    outcome.add(collect_iptables(iptables, family, call, valid));
  }
  return std::move(outcome).result();
}

}  // namespace

const Plugin kPortmap{.name = "portmap",
                      .add = add,
                      .del = del,
                      .check = check,
                      .status = nullptr,
                      .gc = gc,
                      .kind = Kind::kMeta};

}  // namespace weft::cni
