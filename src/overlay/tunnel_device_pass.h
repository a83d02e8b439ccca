// tunnel_device_pass.h: brings the device of a tunnel to its plan.
#pragma once

#include "kernel/rtnetlink.h"
#include "overlay/pass_report.h"
#include "overlay/tunnel_device.h"

namespace weft::overlay {

/// Reads the addresses of `link`, mends what differs and reports each edit. An Error tells the
/// first that could not be made.
Status settle_tunnel_device(const Link& link, const TunnelDevice& desired, const Prefix& network,
                            kernel::Rtnetlink& rtnetlink, PassReport& report);

}  // namespace weft::overlay
