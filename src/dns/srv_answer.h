// srv_answer.h: SRV records of Services and their endpoints (RFC 2782).
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/cluster_zone.h"
#include "dns/message_writer.h"

namespace weft::dns {

/// How many records answer for a port (or every one) of a Service: ports times addresses.
unsigned srv_targets(const ServiceRecords& service, const WantedPort& port);
/// What one of so many weighs.
std::uint16_t srv_weight(unsigned targets);
/// Whether an endpoint's label and ports stand earlier in the tables: a hostname may stand for
/// several addresses, of either family, and is one target.
bool is_repeated_target(const HeadlessEndpoints& endpoints, const EndpointTable& table,
                        std::size_t index);

/// Writes one record for each port that matches, or for each endpoint and port that match, then the
/// targets' addresses as far as there is room. Equal weights that add up to 100, as CoreDNS has
/// them. REQUIRES a match of kind kService or kEndpoint.
void write_srv(const ClusterZone& zone, const ZoneMatch& match, std::string_view owner,
               std::uint32_t turn, MessageWriter& writer);

}  // namespace weft::dns
