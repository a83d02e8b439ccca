// masquerade_iptables.h: masquerading of an attachment with iptables, as the Go plugins do it.
//
// Programs are run only when an attachment has, or gets, such rules: whether it has is asked of
// the kernel first, since a DEL must also find what a Go plugin made.
#pragma once

#include <vector>

#include "cni/cni_error.h"
#include "cni/masquerade_rules.h"

namespace weft::cni {

CniStatus add_iptables_masquerade(const AttachmentName& attachment,
                                  const std::vector<InterfaceAddress>& addresses);
/// None is success.
CniStatus remove_iptables_masquerade(const AttachmentName& attachment);

}  // namespace weft::cni
