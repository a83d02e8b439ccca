// masquerade.h: masquerading of an attachment's addresses, in the kernel.
#pragma once

#include <string>
#include <vector>

#include "cni/attachments.h"
#include "cni/cni_error.h"
#include "cni/masquerade_rules.h"

namespace weft::cni {

/// Adds the rules of an attachment; what is left of an earlier one of that name goes.
/// `backend` is "nftables", "iptables" or empty: nftables where the kernel has it.
CniStatus add_masquerade(const AttachmentName& attachment,
                         const std::vector<InterfaceAddress>& addresses,
                         const std::string& backend);

/// Takes the rules of an attachment away, of whichever backend they are and whatever addresses
/// they name. None is success.
CniStatus remove_masquerade(const AttachmentName& attachment);

/// Takes the rules of a network away that belong to none of the attachments.
CniStatus collect_masquerade(const std::string& network, const std::vector<Attachment>& valid);

}  // namespace weft::cni
