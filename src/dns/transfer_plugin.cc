#include "dns/transfer_plugin.h"

#include <algorithm>
#include <utility>

#include "dns/zone_transfer.h"

namespace weft::dns {
namespace {

Step refuse(Exchange& exchange, std::string_view why) {
  exchange.fail(Rcode::kRefused, ExtendedError::kProhibited, why);
  return Step::kReply;
}

}  // namespace

bool TransferPlugin::is_allowed(const IpAddress& client) const {
  return options_.to_all || std::any_of(options_.to.begin(), options_.to.end(),
                                        [&](const Prefix& each) { return each.contains(client); });
}

// To a question for what has changed (IXFR) the whole zone is an answer, too (RFC 1995, section 4).
Step TransferPlugin::serve(Exchange& exchange) {
  const RecordType type = exchange.query.type;
  if (type != RecordType::kAxfr && type != RecordType::kIxfr) return Step::kNext;
  if (!is_below(exchange.name, options_.zones)) return Step::kNext;
  auto zone = zones_.get();
  const ServedZone* in = zone_of(*zone, exchange.name);
  if (in == nullptr) return Step::kNext;
  if (!is_allowed(exchange.client.address))
    return refuse(exchange, "not for this client (transfer)");
  if (!exchange.client.over_tcp) return refuse(exchange, "a zone is transferred over TCP");
  if (in->is_reverse || exchange.name.wire() != in->name.wire())
    return refuse(exchange, "only a whole zone of Services is transferred");
  if (!zone->complete) {
    exchange.fail(Rcode::kServerFailure, ExtendedError::kNotReady,
                  "the cluster's services have not been read yet");
    return Step::kReply;
  }
  exchange.authoritative = true;
  exchange.writer.limit_to(ZoneTransfer::kMessage);
  auto transfer = std::make_unique<ZoneTransfer>(std::move(zone), *in, exchange.query);
  transfer->write(exchange.writer);
  if (!transfer->is_over()) exchange.rest = std::move(transfer);
  return Step::kReply;
}

}  // namespace weft::dns
