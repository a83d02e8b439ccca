// link_kind_codec.h: IFLA_LINKINFO: what each kind of device has of its own.
#pragma once

#include "kernel/rtnetlink_codec.h"

namespace weft::kernel {

void put_link_kind(Request& request, const NewLink& link);
/// Fills the kind of a link and the options of it. `info` is the inside of IFLA_LINKINFO.
void decode_link_kind(const Attributes& info, Link& link);

}  // namespace weft::kernel
