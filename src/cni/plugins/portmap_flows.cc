#include "cni/plugins/portmap_flows.h"

namespace weft::cni {
namespace {

bool is_to_the_port(const ConntrackEntry& entry, const PortMapping& mapping) {
  const auto host = mapping.only_host_ip();
  return entry.original.protocol == static_cast<std::uint8_t>(mapping.protocol) &&
         entry.original.destination_port == mapping.host_port &&
         (!host || entry.original.destination == *host);
}

bool leads_to(const ConntrackEntry& entry, const PortMapping& mapping, const IpAddress& container) {
  return entry.reply.source == container && entry.reply.source_port == mapping.container_port;
}

}  // namespace

bool keeps_flows(const PortMapping& mapping) {
  return mapping.protocol != nft::L4Protocol::kTcp;
}

bool bypasses(const ConntrackEntry& entry, const PortMapping& mapping, const IpAddress& container,
              const std::set<IpAddress>& local) {
  const IpAddress& destination = entry.original.destination;
  return is_to_the_port(entry, mapping) && !leads_to(entry, mapping, container) &&
         (local.contains(destination) || destination.is_loopback());
}

bool was_made_by(const ConntrackEntry& entry, const PortMapping& mapping,
                 const IpAddress& container) {
  return is_to_the_port(entry, mapping) && leads_to(entry, mapping, container);
}

}  // namespace weft::cni
