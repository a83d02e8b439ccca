#include "service/kube_leftovers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "kernel/iptables.h"
#include "kernel/nftables.h"
#include "kernel/rtnetlink.h"
#include "service/iptables_names.h"
#include "service/iptables_update.h"
#include "service/nft_layout.h"
#include "service/portal_rules.h"

namespace weft::service {
namespace {

using kernel::Iptables;

constexpr const char* kIpvsDevice = "kube-ipvs0";
constexpr const char* kKubeProxyTable = "kube-proxy";
constexpr std::array<const char*, 3> kTables{"nat", "filter", "mangle"};
constexpr std::size_t kRulesEach = 1000;

bool any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_portal_chain(std::string_view table, std::string_view chain) {
  if (table == "filter") return chain == chains::kNodePortNonLocal;
  return table == "nat" && any_of(chain, {chains::kPortalsContainer, chains::kPortalsHost,
                                          chains::kNodePortContainer, chains::kNodePortHost});
}

bool is_ipvs_chain(std::string_view table, std::string_view chain) {
  if (table == "filter")
    return any_of(chain, {"KUBE-NODE-PORT", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-IPVS-FILTER",
                          "KUBE-IPVS-OUT-FILTER"});
  return table == "nat" && any_of(chain, {"KUBE-NODE-PORT", "KUBE-LOAD-BALANCER"});
}

// Collects what was done, and the first thing that could not be.
class Removal {
 public:
  void note(std::string done) { words_.push_back(std::move(done)); }
  void note(const Status& status) {
    if (!status && outcome_) outcome_ = status;
  }
  Result<std::vector<std::string>> result() && {
    RETURN_IF_ERROR(outcome_);
    return std::move(words_);
  }

 private:
  std::vector<std::string> words_;
  Status outcome_;
};

Status clean_tables(const Iptables& iptables, const Leftovers& which, Removal& removal) {
  IptablesTables tables;
  for (const char* name : kTables) {
    ASSIGN_OR_RETURN(tables[name], iptables.read(name));
  }
  const auto goes = [&](std::string_view table, std::string_view chain) {
    return is_leftover(table, chain, which);
  };
  const IptablesUpdate update = plan_iptables_removal(goes, tables);
  for (const auto& script : restore_scripts(update, kRulesEach))
    RETURN_IF_ERROR(iptables.restore(script));
  for (const auto& [name, edits] : update)
    removal.note(iptables.name() + ": chains of another mode in the table " + name + ": removed");
  return {};
}

// Both variants may hold some: a node's iptables can have changed under kube-proxy. One whose
// programs are not there holds none that anybody could see.
void clean_iptables(const Leftovers& which, Removal& removal) {
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    for (const char* flavour : {"nft", "legacy"}) {
      if (std::string_view(flavour) == "legacy" && !kernel::legacy_iptables_in_use(family))
        continue;
      const auto iptables = Iptables::find(family, flavour);
      if (iptables) removal.note(clean_tables(*iptables, which, removal));
    }
}

Status clean_nftables(const std::string& name, Removal& removal) {
  ASSIGN_OR_RETURN(auto nftables, kernel::Nftables::open());
  for (const auto family : {nft::TableFamily::kIp, nft::TableFamily::kIp6}) {
    const nft::TableId table{.family = family, .name = name};
    ASSIGN_OR_RETURN(const bool there, nftables.has_table(table));
    if (!there) continue;
    RETURN_IF_ERROR(nftables.remove_table(table));
    removal.note("table " + table.to_string() + ": removed");
  }
  return {};
}

// Its virtual servers may stay: without the device no packet comes to them.
Status clean_ipvs(Removal& removal) {
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, rtnetlink.link(kIpvsDevice));
  if (!link) return {};
  RETURN_IF_ERROR(kernel::ignore_errno(rtnetlink.remove(link->index), ENODEV));
  removal.note(std::string(kIpvsDevice) + " of kube-proxy's mode ipvs: removed");
  return {};
}

}  // namespace

bool is_leftover(std::string_view table, std::string_view chain, const Leftovers& which) {
  if (is_portal_chain(table, chain)) return which.userspace;
  return which.iptables && (is_proxy_chain(table, chain) || is_ipvs_chain(table, chain));
}

Leftovers leftovers_beside(std::string_view mode) {
  return {.iptables = mode != "iptables",
          .userspace = mode != "userspace",
          .nftables = true,
          .own_nftables = mode != "nftables"};
}

Result<std::vector<std::string>> remove_leftovers(const Leftovers& which) {
  Removal removal;
  if (which.iptables || which.userspace) clean_iptables(which, removal);
  if (which.iptables) removal.note(clean_ipvs(removal));
  if (which.nftables) removal.note(clean_nftables(kKubeProxyTable, removal));
  if (which.own_nftables) removal.note(clean_nftables(service_table(Family::kIpv4).name, removal));
  return std::move(removal).result();
}

}  // namespace weft::service
