// clusters.h: Services and slices for tests, and the answers out of a zone made of them.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/message_writer.h"
#include "dns/query.h"
#include "dns/zone_answer.h"
#include "dns/zone_builder.h"
#include "unit/dns/packets.h"

namespace weft::dns::test {

inline std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> result;
  for (const auto& text : texts) result.push_back(*IpAddress::parse(text));
  return result;
}

inline Service cluster_service(std::string ns, std::string name, std::vector<std::string> ips,
                               std::vector<ServicePort> ports = {}) {
  return {.name = {.ns = std::move(ns), .name = std::move(name)},
          .cluster_ips = addresses(ips),
          .ports = std::move(ports)};
}
inline Service headless_service(std::string ns, std::string name) {
  return {.name = {.ns = std::move(ns), .name = std::move(name)}, .headless = true};
}
inline Service external_service(std::string ns, std::string name, std::string target) {
  return {.name = {.ns = std::move(ns), .name = std::move(name)},
          .type = ServiceType::kExternalName,
          .external_name = std::move(target)};
}

inline weft::Endpoint endpoint(const std::string& ip, std::string hostname = {}) {
  weft::Endpoint result;
  result.addresses = addresses({ip});
  result.hostname = std::move(hostname);
  return result;
}
inline EndpointSlice slice_of(const std::string& ns, const std::string& service,
                              const std::string& name, std::vector<weft::Endpoint> endpoints,
                              std::vector<EndpointPort> ports = {}) {
  EndpointSlice slice;
  slice.ns = ns;
  slice.name = name;
  slice.service = service;
  slice.ports = std::move(ports);
  slice.endpoints = std::move(endpoints);
  return slice;
}

inline ZoneOptions zone_options(const std::vector<std::string>& zones = {
                                    "cluster.local", "in-addr.arpa", "ip6.arpa"}) {
  ZoneOptions options{.ttl = 30, .pods = PodRecords::kInsecure};
  for (const auto& zone : zones) options.zones.push_back(ServedZone::of(*Name::parse(zone)));
  options.local_addresses = addresses({"10.96.0.10"});
  return options;
}

/// The zone's reply to a question: how it is, and the message.
struct Asked {
  ZoneReply reply;
  std::string message;
};
inline Asked ask(const ClusterZone& zone, const std::string& query, std::uint32_t turn = 0,
                 std::size_t limit = kLargestMessage) {
  const auto received = read_query(query);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, limit);
  writer.begin(received.query);
  const LookupName name(received.query.name);
  const ServedZone* in = zone_of(zone, name);
  ZoneAnswer answer(zone, writer, turn);
  const ZoneReply reply = answer.write(*in, name, received.query.type);
  const Rcode rcode = reply == ZoneReply::kAbsent ? Rcode::kNameError : Rcode::kNoError;
  const std::size_t size = writer.finish(reply_header(received.query, rcode));
  return {reply, std::string(room.data(), size)};
}

/// The same as text; "absent" and the like for what has no records.
inline std::string ask_text(const ClusterZone& zone, std::string_view name, RecordType type) {
  const Asked asked = ask(zone, query(name, type));
  switch (asked.reply) {
    case ZoneReply::kNoData:
      return "no data";
    case ZoneReply::kLoop:
      return "loop";
    default:
      break;
  }
  std::string text = text_of(asked.message);
  return text == "NXDOMAIN" ? "absent" : text;
}

}  // namespace weft::dns::test
