// srv_answer.h: SRV records of Services and their endpoints (RFC 2782).
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/cluster_zone.h"
#include "dns/message_writer.h"

namespace weft::dns {

/// Writes one record for each port that matches, or for each endpoint and port that match, then the
/// targets' addresses as far as there is room. Equal weights that add up to 100, as CoreDNS has
/// them. REQUIRES a match of kind kService or kEndpoint.
void write_srv(const ClusterZone& zone, const ZoneMatch& match, std::string_view owner,
               std::uint32_t turn, MessageWriter& writer);

}  // namespace weft::dns
