// masquerade_iptables.h: masquerading of an attachment with iptables, as the Go plugins do it.
#pragma once

#include <string>
#include <vector>

#include "cni/cni_error.h"
#include "cni/masquerade_rules.h"
#include "kernel/iptables_tables.h"

namespace weft::cni {

CniStatus add_iptables_masquerade(kernel::IptablesAccess& iptables,
                                  const AttachmentName& attachment,
                                  const std::vector<InterfaceAddress>& addresses);
/// None is success.
CniStatus remove_iptables_masquerade(kernel::IptablesAccess& iptables,
                                     const AttachmentName& attachment);
/// Takes the rules of a network's containers away that have no attachment any more.
CniStatus collect_iptables_masquerade(kernel::IptablesAccess& iptables, const std::string& network,
                                      const std::vector<Attachment>& valid);

}  // namespace weft::cni
