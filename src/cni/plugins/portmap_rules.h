// portmap_rules.h: what the portmap plugin wants of iptables and of nftables. Pure.
//
// Chains, rules and comments are those of containernetworking/plugins 1.9.1
// (plugins/meta/portmap/portmap_{iptables,nftables}.go). Three things differ. The rules of a
// container come in front of those that are there, so that of two that claim a host port the
// newer one has it: a rule that somebody left behind shadows nobody. A repeated ADD replaces its
// rules instead of adding to them. And nftables rules carry the attachment beside the container,
// so that one network's DEL and GC leave another's alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cni/attachment_name.h"
#include "cni/plugins/portmap_config.h"
#include "net/iptables_plan.h"
#include "net/nft.h"

namespace weft::cni {

inline constexpr const char* kHostportDnat = "CNI-HOSTPORT-DNAT";
inline constexpr const char* kDnatMark = "DN-";       ///< in the names of containers' chains
inline constexpr const char* kDnatComment = "dnat ";  ///< before the names in their comments

/// The chains of table nat that a plan for a container's chain has to see.
std::vector<std::string> portmap_chains(const std::string& container_chain);
IptablesEdits plan_portmap(const PortmapConfig& config, const AttachmentName& attachment,
                           const InterfaceAddress& container, const PresentChains& present);
/// Takes a container's chain away, with every jump to it.
IptablesEdits plan_portmap_removal(const std::string& container_chain,
                                   const PresentChains& present);

/// The table "cni_hostport" of the container's family as it should be, where `present` is what
/// it is. Conditions that weft does not understand leave the two hooks' rules as they are.
nft::TableContents with_hostports(const PortmapConfig& config, const AttachmentName& attachment,
                                  const InterfaceAddress& container,
                                  const std::optional<nft::TableContents>& present);
nft::TableId hostport_table(Family family);
/// False for conditions in words that only nft(8) knows.
bool understands_nft_conditions(const std::vector<std::string>& conditions, Family family);
/// Input of nft(8) that puts such conditions into the hooks.
std::string nft_conditions_script(const std::vector<std::string>& conditions, Family family);

/// Whether a rule of that table belongs to an attachment; one without an owner, which the Go
/// plugin wrote, belongs to every attachment of its container.
bool is_hostport_of(const nft::Rule& rule, const AttachmentName& attachment);

}  // namespace weft::cni
