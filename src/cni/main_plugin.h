// main_plugin.h: what every plugin that makes a device does with IPAM, names and results.
#pragma once

#include "cni/masquerade_rules.h"
#include "cni/plugin.h"
#include "cni/rollback.h"

namespace weft::cni {

/// The call's interface of its container in its network.
AttachmentName attachment_of(const Call& call);

/// ADD of the IPAM plugin; `rollback` gets the DEL. A result without addresses is an error.
CniResult<AddResult> request_addresses(const Call& call, const std::string& ipam,
                                       Rollback& rollback);

/// DEL, CHECK, STATUS or GC of the IPAM plugin; success when the configuration names none.
CniStatus run_ipam(Command command, const Call& call);

/// The `prevResult` without which there is nothing to check against.
CniResult<AddResult> required_previous_result(const Call& call);

/// DEL of a device inside the container, as every main plugin needs it. The device goes first:
/// its address must not be given to another container while it still answers for it. Neither a
/// missing namespace nor a missing device keeps the address from being given back, and nothing
/// but names is needed of the configuration.
CniStatus remove_device_and_addresses(const Call& call);

}  // namespace weft::cni
