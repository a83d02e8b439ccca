// What a client or another DNS server sends: as a query, as a message of any kind, and as a name to
// be looked up in a small cluster, whose answer must be a message that reads well.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "dns/message_reader.h"
#include "dns/message_writer.h"
#include "dns/query.h"
#include "dns/zone_answer.h"
#include "dns/zone_builder.h"

using namespace weft;
using namespace weft::dns;

namespace {

std::shared_ptr<const ClusterZone> make_cluster() {
  ZoneOptions options{.pods = PodRecords::kInsecure};
  for (const char* zone : {"c", "in-addr.arpa", "ip6.arpa"})
    options.zones.push_back(ServedZone::of(*Name::parse(zone)));
  ZoneBuilder builder(options);
  builder.put(Service{.name = {.ns = "n", .name = "a"},
                      .cluster_ips = {IpAddress::v4(1)},
                      .ports = {{.name = "p", .port = 1}}});
  builder.put(Service{.name = {.ns = "n", .name = "h"}, .headless = true});
  EndpointSlice slice;
  slice.ns = "n";
  slice.name = "s";
  slice.service = "h";
  slice.ports = {{.name = "p", .port = 2}};
  weft::Endpoint endpoint;
  endpoint.addresses = {IpAddress::v4(2), IpAddress::any(Family::kIpv6)};
  slice.endpoints = {endpoint};
  builder.put(slice);
  const std::pair<const char*, const char*> aliases[] = {
      {"x", "a.n.svc.c"}, {"y", "y.n.svc.c"}, {"z", "example"}};
  for (const auto& [name, target] : aliases)
    builder.put(Service{.name = {.ns = "n", .name = name},
                        .type = ServiceType::kExternalName,
                        .external_name = target});
  return builder.zone(1);
}

// Every byte of a message that reads well belongs to it, and can be printed.
bool reads_well(std::string_view message) {
  auto reader = MessageReader::open(message);
  if (!reader) return false;
  while (const auto record = reader->next()) static_cast<void>(to_text(message, *record));
  return reader->is_whole();
}

void require(bool condition) {
  if (!condition) std::abort();
}

void answer(const Query& query, Rcode rcode) {
  static const auto zone = make_cluster();
  std::array<char, kUdpSize> room;
  MessageWriter writer(room, udp_limit(query));
  writer.begin(query, {.server_id = "node"});
  if (rcode == Rcode::kNoError) {
    const LookupName name(query.name);
    const ServedZone* in = zone_of(*zone, name);
    ZoneAnswer zone_answer(*zone, writer, query.header.id);
    if (in != nullptr && zone_answer.write(*in, name, query.type) == ZoneReply::kAbsent)
      zone_answer.write_denial(*in);
  }
  const std::size_t size = writer.finish(reply_header(query, rcode));
  require(size <= udp_limit(query));
  require(reads_well({room.data(), size}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const bool is_whole = reads_well(message);
  const ReceivedQuery received = read_query(message);
  if (received.verdict == ReceivedQuery::Verdict::kDrop) return 0;
  if (received.verdict == ReceivedQuery::Verdict::kAnswer) require(is_whole);
  answer(received.query, received.rcode);
  return 0;
}
