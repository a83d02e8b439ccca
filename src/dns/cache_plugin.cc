#include "dns/cache_plugin.h"

#include <algorithm>
#include <string>

namespace weft::dns {
namespace {

// What was asked for has not come, or is worse than what is kept.
bool has_failed(const Arrival& arrival) {
  return arrival.reply == nullptr || arrival.reply->rcode() == Rcode::kServerFailure;
}

bool is_for(const Arrival& arrival, const Exchange& exchange) {
  return arrival.reply == nullptr ||
         (equal_in_any_case(arrival.reply->question_name(), exchange.query.name) &&
          arrival.reply->question_type() == exchange.query.type);
}

}  // namespace

ForwardPlugin* CachePlugin::forward_of(const Exchange& exchange) const {
  const auto found = std::find_if(forwards_.begin(), forwards_.end(),
                                  [&](const auto* each) { return each->serves(exchange.name); });
  return found == forwards_.end() ? nullptr : *found;
}

Step CachePlugin::serve(Exchange& exchange) {
  ForwardPlugin* forward = forward_of(exchange);
  if (forward == nullptr || !is_below(exchange.name, zones_)) return Step::kNext;
  const bool has_come = exchange.arrival != nullptr && is_for(*exchange.arrival, exchange);
  const bool is_stale_wanted =
      has_come && cache_->options().serve_stale && has_failed(*exchange.arrival);
  if (has_come && !is_stale_wanted) return let_pass(exchange);
  const QuestionKey key(exchange.name, exchange.query.type, flags_of(exchange.query));
  const auto found = cache_->find(key.bytes(), std::chrono::steady_clock::now(), reply_);
  if (!found) return Step::kNext;
  // `serve_stale verify`: what is stale waits until it is known that there is nothing better.
  if (found->stale && !has_come && cache_->options().verify_stale) return Step::kNext;
  if ((found->stale && !has_come) || found->wants_fresh) forward->refresh(exchange);
  return write(exchange, *found);
}

// TTLs are those of the answers that will follow, so that they do not jump.
Step CachePlugin::let_pass(Exchange& exchange) const {
  if (exchange.arrival->reply != nullptr) {
    const Reply::Manner manner = cache_->fresh_manner(*exchange.arrival->reply);
    exchange.least_ttl = manner.least_ttl;
    exchange.most_ttl = manner.most_ttl;
  }
  return Step::kNext;
}

Step CachePlugin::write(Exchange& exchange, const ReplyCache::Found& found) {
  Reply::Manner manner = found.manner;
  if (loadbalance_) manner.turn = exchange.turn;
  reply_.write(exchange.writer, manner);
  exchange.rcode = reply_.rcode();
  exchange.authoritative = reply_.authoritative();
  exchange.authentic = reply_.authentic();
  if (exchange.writer.wants_source())
    exchange.writer.tell_source(std::string(found.stale ? "stale" : "cache") + ", " +
                                std::to_string(found.age.count()) + " s old");
  if (found.stale)
    exchange.writer.explain(reply_.rcode() == Rcode::kNameError ? ExtendedError::kStaleNameError
                                                                : ExtendedError::kStaleAnswer,
                            "no upstream could be asked in time");
  return Step::kReply;
}

}  // namespace weft::dns
