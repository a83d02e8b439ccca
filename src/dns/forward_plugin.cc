#include "dns/forward_plugin.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace weft::dns {
namespace {

// "upstream 192.0.2.1:53 in 0.8 ms"
std::string source_of(const UpstreamPeer& peer, std::chrono::steady_clock::duration took) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), " in %.1f ms",
                std::chrono::duration<double, std::milli>(took).count());
  return "upstream " + peer.describe() + time.data();
}

Inquiries::Question question_of(const Exchange& exchange) {
  return {.wire = exchange.query.name,
          .name = exchange.name,
          .type = exchange.query.type,
          .flags = flags_of(exchange.query),
          .over_tcp = exchange.client.over_tcp};
}

}  // namespace

bool ForwardPlugin::serves(const LookupName& name) const {
  const ForwardOptions& options = *group_->options;
  return name.labels_above(options.from.wire()) && !is_below(name, options.except);
}

Step ForwardPlugin::serve(Exchange& exchange) {
  if ((exchange.passed & mark_) != 0 || !serves(exchange.name)) return Step::kNext;
  if (group_->loops != nullptr &&
      group_->loops->note(exchange.name, std::chrono::steady_clock::now()))
    return Step::kDrop;
  if (own_.contains({.address = exchange.client.address, .port = exchange.client.port})) {
    exchange.fail(Rcode::kServerFailure, ExtendedError::kOther,
                  "a loop: this server was asked by itself");
    return Step::kReply;
  }
  if (exchange.arrival != nullptr && exchange.arrival->from == group_.get() &&
      is_answer_to(exchange))
    return write(exchange);
  const RecordType type = exchange.query.type;
  if (type == RecordType::kAxfr || type == RecordType::kIxfr) {
    exchange.fail(Rcode::kRefused, ExtendedError::kProhibited, "transfers are not forwarded");
    return Step::kReply;
  }
  return ask(exchange);
}

// A plugin may ask for another name than the query's, whose arrival is not this one.
bool ForwardPlugin::is_answer_to(const Exchange& exchange) const {
  const Reply* reply = exchange.arrival->reply;
  return reply == nullptr || (equal_in_any_case(reply->question_name(), exchange.query.name) &&
                              reply->question_type() == exchange.query.type);
}

Step ForwardPlugin::ask(Exchange& exchange) {
  const unsigned most = group_->options->max_concurrent;
  if (most != 0 && group_->waiting >= most) {
    exchange.fail(Rcode::kRefused, ExtendedError::kOther, "max_concurrent queries wait already");
    return Step::kReply;
  }
  std::string_view why;
  const auto ticket = inquiries_.ask(*group_, question_of(exchange), why);
  const auto waiter = ticket ? exchange.wait() : std::nullopt;
  if (!waiter) {
    if (ticket) why = "too many queries wait";
    exchange.fail(Rcode::kServerFailure, ExtendedError::kNoReachableAuthority, why);
    return Step::kReply;
  }
  inquiries_.wait_for(*ticket, *waiter);
  return Step::kLater;
}

void ForwardPlugin::refresh(const Exchange& exchange) {
  std::string_view why;
  (void)inquiries_.ask(*group_, question_of(exchange), why);
}

Step ForwardPlugin::write(Exchange& exchange) {
  const Arrival& arrival = *exchange.arrival;
  if (arrival.reply == nullptr) {
    exchange.fail(Rcode::kServerFailure, arrival.error, arrival.why);
    return Step::kReply;
  }
  const auto& next = group_->options->next;
  if (std::find(next.begin(), next.end(), arrival.reply->rcode()) != next.end()) {
    exchange.passed |= mark_;
    return Step::kNext;
  }
  Reply::Manner manner{.least_ttl = exchange.least_ttl, .most_ttl = exchange.most_ttl};
  if (loadbalance_) manner.turn = exchange.turn;
  arrival.reply->write(exchange.writer, manner);
  exchange.rcode = arrival.reply->rcode();
  exchange.authoritative = arrival.reply->authoritative();
  exchange.authentic = arrival.reply->authentic();
  if (exchange.writer.wants_source() && arrival.peer != nullptr)
    exchange.writer.tell_source(source_of(*arrival.peer, arrival.took));
  return Step::kReply;
}

}  // namespace weft::dns
