#include "dns/hosts_plugin.h"

namespace weft::dns {

Step HostsPlugin::serve(Exchange& exchange) {
  if (!is_below(exchange.name, options_.zones)) return Step::kNext;
  const HostsTable& table = tables_.get();
  if (exchange.query.type == RecordType::kPtr && options_.reverse)
    return write_names(table, exchange);
  const auto* addresses = table.addresses_of(exchange.name);
  if (addresses == nullptr) {
    if (options_.fallthrough && is_below(exchange.name, *options_.fallthrough)) return Step::kNext;
    exchange.fail(Rcode::kServerFailure, ExtendedError::kNotAuthoritative,
                  "the hosts file does not have the name");
    return Step::kReply;
  }
  exchange.authoritative = true;
  for (const IpAddress& address : *addresses) {
    const auto type = address.is_v4() ? RecordType::kA : RecordType::kAaaa;
    if (type != exchange.query.type) continue;
    const bool written =
        exchange.writer.record(Section::kAnswer, exchange.name.wire(), type, ttl(),
                               [&](RecordData& data) { data.bytes(address.bytes()); });
    if (!written) exchange.writer.mark_truncated();
  }
  return Step::kReply;
}

// Of an address that the file does not have somebody else may know the name.
Step HostsPlugin::write_names(const HostsTable& table, Exchange& exchange) const {
  const auto address = address_of_reverse_name(exchange.name.wire());
  const auto* names = address ? table.names_of(*address) : nullptr;
  if (names == nullptr) return Step::kNext;
  exchange.authoritative = true;
  for (const Name& name : *names) {
    const bool written =
        exchange.writer.record(Section::kAnswer, exchange.name.wire(), RecordType::kPtr, ttl(),
                               [&](RecordData& data) { data.name(name.wire()); });
    if (!written) exchange.writer.mark_truncated();
  }
  return Step::kReply;
}

}  // namespace weft::dns
