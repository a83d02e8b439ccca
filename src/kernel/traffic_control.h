// traffic_control.h: queueing disciplines and filters <-> net/traffic_control.h
// (linux/pkt_sched.h, linux/pkt_cls.h).
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "kernel/netlink_message.h"
#include "kernel/netlink_socket.h"
#include "net/traffic_control.h"

namespace weft::kernel {

/// Makes a token bucket filter or an ingress discipline; EEXIST where one stands already.
Request encode_new_qdisc(const Qdisc& qdisc);
Request encode_delete_qdisc(const Qdisc& qdisc);
std::optional<Qdisc> decode_qdisc(const Message& message);

Request encode_redirect(const RedirectFilter& filter);
/// Nothing also for a filter of another kind, or one that matches only some packets.
std::optional<RedirectFilter> decode_redirect(const Message& message);

/// The disciplines of a device. `route` is a NETLINK_ROUTE socket.
Result<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& route, LinkIndex link);
/// The redirecting filters of a device's discipline; none where there is no such discipline.
Result<std::vector<RedirectFilter>> list_redirects(NetlinkSocket& route, LinkIndex link,
                                                   TcHandle parent);

}  // namespace weft::kernel
