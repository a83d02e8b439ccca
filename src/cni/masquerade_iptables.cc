#include "cni/masquerade_iptables.h"

#include "base/files.h"
#include "base/text.h"
#include "kernel/iptables.h"
#include "kernel/nftables.h"

namespace weft::cni {
namespace {

using kernel::Iptables;

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// The tables of iptables-legacy that are in use in this namespace, one a line.
bool has_legacy_nat(Family family) {
  const auto names = read_file(family == Family::kIpv4 ? "/proc/net/ip_tables_names"
                                                       : "/proc/net/ip6_tables_names");
  if (!names) return false;
  for (const auto& name : split(*names, '\n'))
    if (name == "nat") return true;
  return false;
}

// iptables-nft keeps its table in nf_tables, where a chain can be asked for by name.
bool has_nft_chain(Family family, const std::string& chain) {
  auto nftables = kernel::Nftables::open();
  if (!nftables) return false;
  const nft::TableId table{
      .family = family == Family::kIpv4 ? nft::TableFamily::kIp : nft::TableFamily::kIp6,
      .name = "nat"};
  return nftables->has_chain(table, chain).value_or(true);
}

CniStatus remove_with(const AttachmentName& attachment, Family family, const char* flavour) {
  // Where only one variant is installed it has no name of its own.
  auto iptables = Iptables::find(family, flavour);
  if (!iptables) iptables = Iptables::find(family);
  if (!iptables) return CniFailure(iptables.error());
  ASSIGN_OR_RETURN(const IptablesTable present, iptables->read("nat"));
  const std::string script = iptables_removal(attachment, present);
  if (!script.empty()) RETURN_IF_ERROR(iptables->restore(script));
  return {};
}

}  // namespace

CniStatus add_iptables_masquerade(const AttachmentName& attachment,
                                  const std::vector<InterfaceAddress>& addresses) {
  for (const Family family : kFamilies) {
    std::vector<InterfaceAddress> of_family;
    for (const auto& address : addresses)
      if (address.address.family() == family) of_family.push_back(address);
    if (of_family.empty()) continue;
    ASSIGN_OR_RETURN(const Iptables iptables, Iptables::find(family));
    ASSIGN_OR_RETURN(const IptablesTable present, iptables.read("nat"));
    RETURN_IF_ERROR(iptables.restore(iptables_masquerade(attachment, of_family, present)));
  }
  return {};
}

CniStatus remove_iptables_masquerade(const AttachmentName& attachment) {
  const std::string chain = iptables_chain(attachment);
  for (const Family family : kFamilies) {
    if (has_nft_chain(family, chain)) RETURN_IF_ERROR(remove_with(attachment, family, "nft"));
    if (has_legacy_nat(family)) RETURN_IF_ERROR(remove_with(attachment, family, "legacy"));
  }
  return {};
}

}  // namespace weft::cni
