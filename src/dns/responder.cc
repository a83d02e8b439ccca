#include "dns/responder.h"

#include <algorithm>
#include <utility>

#include "dns/bytes.h"

namespace weft::dns {
namespace {

using Clock = std::chrono::steady_clock;

// Steps through all numbers in an order that is no order for any count of records.
constexpr std::uint32_t kGoldenRatio = 0x9e3779b9;

}  // namespace

Responder::Responder(std::vector<ServerBlock> blocks, Options options)
    : Responder(std::move(blocks), std::move(options), Later{}) {}

Responder::Responder(std::vector<ServerBlock> blocks, Options options, Later later)
    : options_(std::move(options)),
      pending_(later.arrivals == nullptr ? 0 : options_.most_pending),
      later_(std::move(later)),
      blocks_(std::move(blocks)) {
  if (later_.arrivals != nullptr) room_ = std::make_unique<std::array<char, kLargestMessage>>();
}

std::size_t Responder::handle(std::string_view message, const Client& client,
                              std::span<char> room) {
  const ReceivedQuery received = read_query(message);
  if (received.verdict == ReceivedQuery::Verdict::kDrop) return 0;
  const Query& query = received.query;
  if (received.verdict == ReceivedQuery::Verdict::kRefuse)
    return begin(query, client, room).finish(reply_header(query, received.rcode));
  return answer(
      {.query = query, .client = client, .at = Clock::now(), .passed = 0, .arrival = nullptr},
      room);
}

int Responder::work_descriptor() const {
  return later_.arrivals == nullptr ? -1 : later_.arrivals->descriptor();
}

void Responder::work() {
  later_.arrivals->work(*this);
}

void Responder::resume(PendingQueries::Id id, const Arrival& arrival) {
  const PendingQuery pending = pending_.take(id);
  const std::size_t size = answer({.query = pending.query,
                                   .client = pending.client,
                                   .at = pending.asked,
                                   .passed = pending.passed,
                                   .arrival = &arrival},
                                  *room_);
  if (size != 0 && size != kLater) later_.replies->send(pending.client, {room_->data(), size});
}

MessageWriter Responder::begin(const Query& query, const Client& client,
                               std::span<char> room) const {
  MessageWriter writer(room, client.over_tcp ? kLargestMessage : udp_limit(query));
  ServerEdns edns{.server_id = options_.server_id};
  if (client.over_tcp) edns.idle_deciseconds = options_.idle_deciseconds;
  writer.begin(query, edns);
  return writer;
}

std::size_t Responder::answer(const Asked& asked, std::span<char> room) {
  MessageWriter writer = begin(asked.query, asked.client, room);
  Exchange exchange{.query = asked.query,
                    .client = asked.client,
                    .received = asked.query,
                    .name = LookupName(asked.query.name),
                    .writer = writer,
                    .pending = pending_,
                    .asked = asked.at,
                    .turn = turn_ += kGoldenRatio,
                    .arrival = asked.arrival,
                    .passed = asked.passed};
  ServerBlock* block = block_of(exchange.name);
  if (block != nullptr && !asked.client.over_tcp) writer.limit_to(block->udp_size);
  Step step = serve(exchange, block);
  if (step == Step::kReply && !exchange.alias_target.empty()) step = follow_alias(exchange);
  if (step == Step::kDrop) return 0;
  if (step == Step::kLater) return kLater;
  Header header = reply_header(asked.query, exchange.rcode);
  header.authoritative = exchange.authoritative;
  header.authentic_data = exchange.authentic;
  exchange.flags.apply(header);
  rest_ = std::move(exchange.rest);
  const std::size_t size = writer.finish(header);
  if (block != nullptr && !block->observers.empty()) {
    const Header written = Header::read({room.data(), size});
    const Answered answered{.query = asked.query,
                            .client = asked.client,
                            .header = written,
                            .rcode = exchange.rcode,
                            .size = size,
                            .time = Clock::now() - asked.at,
                            .why = writer.error_text()};
    for (const auto& observer : block->observers) observer->answered(answered);
  }
  return size;
}

Step Responder::serve(Exchange& exchange, ServerBlock* block) {
  if (block != nullptr && !block->rewrites.empty())
    if (const auto question = rewrite(block->rewrites, exchange.name, exchange.query.type))
      return serve_rewritten(exchange, *question, block);
  return serve_plugins(exchange, block);
}

Step Responder::serve_plugins(Exchange& exchange, ServerBlock* block) {
  if (block == nullptr) {
    exchange.fail(Rcode::kRefused, ExtendedError::kProhibited, "no zone of this server");
    return Step::kReply;
  }
  for (const auto& plugin : block->plugins)
    if (const Step step = plugin->serve(exchange); step != Step::kNext) {
      if (exchange.writer.wants_source()) exchange.writer.tell_source(plugin->source());
      return step;
    }
  exchange.fail(Rcode::kServerFailure, ExtendedError::kNotAuthoritative,
                "no plugin of the server block answers this name");
  return Step::kReply;
}

template <class Answer>
Step Responder::ask_within(Exchange& exchange, std::string_view name, RecordType type, Inner& inner,
                           Answer answer) {
  std::array<char, kLongestName + 4> question;
  std::copy(name.begin(), name.end(), question.begin());
  put_word(question.data() + name.size(), static_cast<std::uint16_t>(type));
  put_word(question.data() + name.size() + 2, static_cast<std::uint16_t>(RecordClass::kIn));
  Query query = exchange.query;
  query.question = {question.data(), name.size() + 4};
  query.name = query.question.substr(0, name.size());
  query.type = type;
  MessageWriter writer(inner.room, kLargestMessage);
  writer.begin(query);
  Exchange within{.query = query,
                  .client = exchange.client,
                  .received = exchange.received,
                  .name = LookupName(name),
                  .writer = writer,
                  .pending = pending_,
                  .asked = exchange.asked,
                  .turn = exchange.turn,
                  .arrival = exchange.arrival,
                  .passed = exchange.passed};
  if (const Step step = answer(within); step != Step::kReply) return step;
  if (within.rest != nullptr)
    within.fail(Rcode::kRefused, ExtendedError::kProhibited,
                "a zone is transferred by its own name");
  exchange.rcode = within.rcode;
  exchange.authoritative = within.authoritative;
  exchange.authentic = within.authentic;
  exchange.flags = within.flags;
  const std::size_t size = writer.finish(reply_header(query, within.rcode));
  exchange.writer.add_source(writer.source());
  if (!inner.reply.read({inner.room.data(), size}))
    exchange.fail(Rcode::kServerFailure, ExtendedError::kOther, "the answer cannot be read");
  else if (!writer.error_text().empty())
    exchange.writer.explain(writer.error().value_or(ExtendedError::kOther), writer.error_text());
  return Step::kReply;
}

// The block sees the other question alone; the client gets the answer under its own.
Step Responder::serve_rewritten(Exchange& exchange, const RewrittenQuestion& question,
                                ServerBlock* block) {
  if (rewritten_ == nullptr) rewritten_ = std::make_unique<Inner>();
  const Step step =
      ask_within(exchange, question.name.wire(), question.type, *rewritten_, [&](Exchange& within) {
        const Step served = serve_plugins(within, block);
        const bool is_alias = served == Step::kReply && !within.alias_target.empty();
        return is_alias ? follow_alias(within) : served;
      });
  if (step != Step::kReply || exchange.rcode == Rcode::kServerFailure) return step;
  const std::string_view from =
      question.restores_answer ? question.name.wire() : std::string_view();
  rewritten_->reply.write_renamed(exchange.writer, {}, from, exchange.query.name);
  return step;
}

// The target is asked for, and what comes is put behind the aliases. The aliases alone would say
// that the target has no such records. It is not rewritten: rules and aliases could lead in a
// circle.
Step Responder::follow_alias(Exchange& exchange) {
  if (alias_ == nullptr) alias_ = std::make_unique<Inner>();
  const bool authoritative = exchange.authoritative;
  const FlagChanges flags = exchange.flags;
  const Step step =
      ask_within(exchange, exchange.alias_target, exchange.query.type, *alias_,
                 [&](Exchange& within) { return serve_plugins(within, block_of(within.name)); });
  exchange.flags = flags;
  if (step != Step::kReply) return step;
  if (exchange.rcode != Rcode::kNoError && exchange.rcode != Rcode::kNameError) {
    exchange.fail(Rcode::kServerFailure, ExtendedError::kNoReachableAuthority,
                  "the alias's target could not be looked up");
    return step;
  }
  exchange.authoritative = authoritative;
  exchange.authentic = false;
  alias_->reply.write(exchange.writer, {});
  return step;
}

ServerBlock* Responder::block_of(const LookupName& name) {
  ServerBlock* best = nullptr;
  std::size_t longest = 0;
  for (ServerBlock& block : blocks_)
    for (const Name& zone : block.zones)
      if (zone.wire().size() > longest && name.labels_above(zone.wire())) {
        best = &block;
        longest = zone.wire().size();
      }
  return best;
}

}  // namespace weft::dns
