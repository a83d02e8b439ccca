// conntrack_codec.h: entries of the connection table to and from ctnetlink's messages
// (linux/netfilter/nfnetlink_conntrack.h). Pure; decoding takes any bytes.
#pragma once

#include <optional>

#include "kernel/conntrack.h"
#include "kernel/netlink_message.h"

namespace weft::kernel {

/// A dump; `in_kernel` asks the kernel to leave out what the filter does not match.
Request encode_list_conntrack(const ConntrackFilter& filter, bool in_kernel);
Request encode_remove_conntrack(const ConntrackEntry& entry);
/// Nothing for messages of another kind and for entries without ports.
std::optional<ConntrackEntry> decode_conntrack(const Message& message);

}  // namespace weft::kernel
