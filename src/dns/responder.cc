#include "dns/responder.h"

namespace weft::dns {
namespace {

// Steps through all numbers in an order that is no order for any count of records.
constexpr std::uint32_t kGoldenRatio = 0x9e3779b9;

}  // namespace

std::size_t Responder::handle(std::string_view message, const Client& client,
                              std::span<char> room) {
  const ReceivedQuery received = read_query(message);
  if (received.verdict == ReceivedQuery::Verdict::kDrop) return 0;
  const Query& query = received.query;
  MessageWriter writer(room, client.over_tcp ? kLargestMessage : udp_limit(query));
  ServerEdns edns{.server_id = options_.server_id};
  if (client.over_tcp) edns.idle_deciseconds = options_.idle_deciseconds;
  writer.begin(query, edns);
  if (received.verdict == ReceivedQuery::Verdict::kRefuse)
    return writer.finish(reply_header(query, received.rcode));

  Exchange exchange{.query = query,
                    .client = client,
                    .name = LookupName(query.name),
                    .writer = writer,
                    .turn = turn_ += kGoldenRatio};
  if (serve(exchange) == Step::kDrop) return 0;
  Header header = reply_header(query, exchange.rcode);
  header.authoritative = exchange.authoritative;
  return writer.finish(header);
}

Step Responder::serve(Exchange& exchange) {
  ServerBlock* block = block_of(exchange.name);
  if (block == nullptr) {
    exchange.fail(Rcode::kRefused, ExtendedError::kProhibited, "no zone of this server");
    return Step::kReply;
  }
  for (const auto& plugin : block->plugins)
    if (const Step step = plugin->serve(exchange); step != Step::kNext) return step;
  exchange.fail(Rcode::kServerFailure, ExtendedError::kNotAuthoritative,
                "no plugin of the server block answers this name");
  return Step::kReply;
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
