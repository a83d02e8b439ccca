#include "kernel/conntrack_codec.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

namespace weft::kernel {
namespace {

// Bits of CTA_FILTER_ORIG_FLAGS, which no public header has (net/netfilter/nf_internals.h).
constexpr std::uint32_t kFilterDestination = 1U << 1U;
constexpr std::uint32_t kFilterProtocol = 1U << 3U;
constexpr std::uint32_t kFilterDestinationPort = 1U << 5U;

Request conntrack_request(int type, Family family) {
  Request request(static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type), 0);
  const int number = family == Family::kIpv4 ? AF_INET : AF_INET6;
  request.header(nfgenmsg{
      .nfgen_family = static_cast<std::uint8_t>(number), .version = NFNETLINK_V0, .res_id = 0});
  return request;
}

void put_tuple(Request& request, const FlowTuple& tuple) {
  const bool v4 = tuple.source.is_v4();
  request.nest(CTA_TUPLE_ORIG, [&](Request& inside) {
    inside.nest(CTA_TUPLE_IP, [&](Request& ip) {
      ip.address(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source);
      ip.address(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination);
    });
    inside.nest(CTA_TUPLE_PROTO, [&](Request& protocol) {
      protocol.u8(CTA_PROTO_NUM, tuple.protocol)
          .be16(CTA_PROTO_SRC_PORT, tuple.source_port)
          .be16(CTA_PROTO_DST_PORT, tuple.destination_port);
    });
  });
}

std::optional<FlowTuple> decode_tuple(const Attributes& tuple) {
  const Attributes ip = tuple.nested(CTA_TUPLE_IP);
  const Attributes protocol = tuple.nested(CTA_TUPLE_PROTO);
  auto source = ip.address(CTA_IP_V4_SRC);
  auto destination = ip.address(CTA_IP_V4_DST);
  if (!source) source = ip.address(CTA_IP_V6_SRC);
  if (!destination) destination = ip.address(CTA_IP_V6_DST);
  const auto number = protocol.u8(CTA_PROTO_NUM);
  const auto source_port = protocol.be16(CTA_PROTO_SRC_PORT);
  const auto destination_port = protocol.be16(CTA_PROTO_DST_PORT);
  if (!source || !destination || source->family() != destination->family() || !number ||
      !source_port || !destination_port)
    return std::nullopt;
  return FlowTuple{.source = *source,
                   .destination = *destination,
                   .protocol = *number,
                   .source_port = *source_port,
                   .destination_port = *destination_port};
}

}  // namespace

Request encode_list_conntrack(const ConntrackFilter& filter, bool in_kernel) {
  Request request = conntrack_request(IPCTNL_MSG_CT_GET, filter.family);
  if (!in_kernel) return request;
  const auto& destination = filter.original_destination;
  const bool has_port = filter.original_destination_port != 0;
  request.nest(CTA_TUPLE_ORIG, [&](Request& inside) {
    if (destination)
      inside.nest(CTA_TUPLE_IP, [&](Request& ip) {
        ip.address(destination->is_v4() ? CTA_IP_V4_DST : CTA_IP_V6_DST, *destination);
      });
    inside.nest(CTA_TUPLE_PROTO, [&](Request& protocol) {
      protocol.u8(CTA_PROTO_NUM, filter.protocol);
      if (has_port) protocol.be16(CTA_PROTO_DST_PORT, filter.original_destination_port);
    });
  });
  request.nest(CTA_FILTER, [&](Request& inside) {
    inside
        .u32(CTA_FILTER_ORIG_FLAGS, kFilterProtocol | (has_port ? kFilterDestinationPort : 0) |
                                        (destination ? kFilterDestination : 0))
        .u32(CTA_FILTER_REPLY_FLAGS, 0);
  });
  return request;
}

Request encode_remove_conntrack(const ConntrackEntry& entry) {
  Request request = conntrack_request(IPCTNL_MSG_CT_DELETE, entry.original.source.family());
  put_tuple(request, entry.original);
  if (entry.zone != 0) request.be16(CTA_ZONE, entry.zone);
  request.be32(CTA_ID, entry.id);
  return request;
}

std::optional<ConntrackEntry> decode_conntrack(const Message& message) {
  if (message.header.nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
    return std::nullopt;
  const auto opened = message.open<nfgenmsg>();
  if (!opened) return std::nullopt;
  const Attributes& attributes = opened->second;
  const auto original = decode_tuple(attributes.nested(CTA_TUPLE_ORIG));
  const auto reply = decode_tuple(attributes.nested(CTA_TUPLE_REPLY));
  const auto id = attributes.be32(CTA_ID);
  if (!original || !reply || !id) return std::nullopt;
  return ConntrackEntry{.original = *original,
                        .reply = *reply,
                        .zone = attributes.be16(CTA_ZONE).value_or(0),
                        .id = *id};
}

}  // namespace weft::kernel
