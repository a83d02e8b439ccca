// spoof_check.h: a port of the bridge may send only from its container's MAC address.
//
// Table, chains and comments are those of containernetworking/plugins (pkg/link/spoofcheck.go).
#pragma once

#include <string>

#include "cni/cni_error.h"
#include "cni/masquerade_rules.h"
#include "net/address.h"

namespace weft::cni {

CniStatus add_spoof_check(const AttachmentName& attachment, const std::string& port,
                          const MacAddress& mac);
/// None is success.
CniStatus remove_spoof_check(const AttachmentName& attachment);

}  // namespace weft::cni
