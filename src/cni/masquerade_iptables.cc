#include "cni/masquerade_iptables.h"

namespace weft::cni {
namespace {

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};
constexpr const char* kTable = "nat";

CniStatus remove_chain(kernel::IptablesAccess& iptables, Family family, const std::string& chain) {
  RETURN_IF_ERROR(iptables.clean(
      {.family = family, .table = kTable, .chains = {"POSTROUTING", chain}},
      [&](const PresentChains& present) { return plan_iptables_unmasquerade(chain, present); }));
  return {};
}

}  // namespace

CniStatus add_iptables_masquerade(kernel::IptablesAccess& iptables,
                                  const AttachmentName& attachment,
                                  const std::vector<InterfaceAddress>& addresses) {
  for (const Family family : kFamilies) {
    std::vector<InterfaceAddress> of_family;
    for (const auto& address : addresses)
      if (address.address.family() == family) of_family.push_back(address);
    if (of_family.empty()) continue;
    RETURN_IF_ERROR(iptables.change(
        {.family = family, .table = kTable, .chains = iptables_masquerade_chains(attachment)},
        [&](const PresentChains& present) {
          return plan_iptables_masquerade(attachment, of_family, present);
        }));
  }
  return {};
}

CniStatus remove_iptables_masquerade(kernel::IptablesAccess& iptables,
                                     const AttachmentName& attachment) {
  for (const Family family : kFamilies)
    RETURN_IF_ERROR(remove_chain(iptables, family, container_chain(attachment)));
  return {};
}

CniStatus collect_iptables_masquerade(kernel::IptablesAccess& iptables, const std::string& network,
                                      const std::vector<Attachment>& valid) {
  for (const Family family : kFamilies) {
    ASSIGN_OR_RETURN(
        PresentChains present,
        iptables.read_all({.family = family, .table = kTable, .chains = {"POSTROUTING"}}));
    for (const auto& chain : stale_chains(present["POSTROUTING"], network, valid))
      RETURN_IF_ERROR(remove_chain(iptables, family, chain));
  }
  return {};
}

}  // namespace weft::cni
