#include "kernel/conntrack.h"

#include <utility>

#include "kernel/conntrack_codec.h"

namespace weft::kernel {

bool ConntrackFilter::matches(const ConntrackEntry& entry) const {
  return entry.original.source.family() == family && entry.original.protocol == protocol &&
         (original_destination_port == 0 ||
          entry.original.destination_port == original_destination_port) &&
         (!original_destination || entry.original.destination == *original_destination);
}

Result<Conntrack> Conntrack::open() {
  ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
  return Conntrack(std::move(socket));
}

Result<std::vector<ConntrackEntry>> Conntrack::list(const ConntrackFilter& filter) {
  const auto decode = [&](const Message& message) {
    auto entry = decode_conntrack(message);
    return entry && filter.matches(*entry) ? entry : std::nullopt;
  };
  auto entries = socket_.dump<ConntrackEntry>(encode_list_conntrack(filter, true), decode);
  if (!entries)
    entries = socket_.dump<ConntrackEntry>(encode_list_conntrack(filter, false), decode);
  if (!entries) return because("listing connections", entries.error());
  return entries;
}

Status Conntrack::remove(const ConntrackEntry& entry) {
  const Status removed = socket_.request(encode_remove_conntrack(entry));
  if (removed || removed.error().number == ENOENT) return {};
  return because("removing the connection from " + entry.original.source.to_string() + " to " +
                     entry.original.destination.to_string(),
                 removed.error());
}

}  // namespace weft::kernel
