#include "dns/kubernetes_plugin.h"

#include "dns/zone_answer.h"

namespace weft::dns {
namespace {

constexpr std::string_view kStale = "as it was before the start: the API has not been read since";

}  // namespace

Step KubernetesPlugin::serve(Exchange& exchange) {
  const ClusterZone& zone = zones_.get();
  const ServedZone* in = zone_of(zone, exchange.name);
  if (in == nullptr) return Step::kNext;
  const RecordType type = exchange.query.type;
  if (type == RecordType::kAxfr || type == RecordType::kIxfr) {
    exchange.fail(Rcode::kRefused, ExtendedError::kProhibited, "zone transfer is not allowed");
    return Step::kReply;
  }
  exchange.authoritative = true;
  ZoneAnswer answer(zone, exchange.writer, exchange.turn);
  if (zone.stale) exchange.writer.explain(ExtendedError::kStaleAnswer, kStale);
  switch (answer.write(*in, exchange.name, type)) {
    case ZoneReply::kAnswer:
    case ZoneReply::kNoData:
      return Step::kReply;
    case ZoneReply::kAlias:
      exchange.alias_target = answer.alias_target();
      return Step::kReply;
    case ZoneReply::kAbsent:
      return deny(zone, *in, exchange);
    case ZoneReply::kLoop:
      exchange.fail(Rcode::kServerFailure, ExtendedError::kOther,
                    "the aliases of this name lead in a circle");
      return Step::kReply;
  }
  return Step::kNext;
}

Step KubernetesPlugin::deny(const ClusterZone& zone, const ServedZone& in,
                            Exchange& exchange) const {
  const bool is_alias = !exchange.writer.is_empty(Section::kAnswer);
  if (!is_alias && is_below(exchange.name, fallthrough_)) {
    exchange.authoritative = false;
    return Step::kNext;
  }
  if (!zone.complete) {
    exchange.fail(Rcode::kServerFailure, ExtendedError::kNotReady,
                  "the cluster's services have not been read yet");
    return Step::kReply;
  }
  ZoneAnswer(zone, exchange.writer, exchange.turn).write_denial(in);
  if (zone.stale) exchange.writer.explain(ExtendedError::kStaleNameError, kStale);
  exchange.rcode = Rcode::kNameError;
  return Step::kReply;
}

}  // namespace weft::dns
