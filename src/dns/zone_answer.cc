#include "dns/zone_answer.h"

#include <algorithm>

#include "dns/full_name.h"
#include "dns/srv_answer.h"

namespace weft::dns {
namespace {

using Kind = ZoneMatch::Kind;

constexpr unsigned kMostAliases = 10;
constexpr std::string_view kSchemaVersion = "1.1.0";
// The TTL of the specification's example, which CoreDNS has too.
constexpr std::uint32_t kVersionTtl = 28800;
constexpr std::uint32_t kLongestSoaTtl = 300;
constexpr std::string_view kNameServer = "\2ns\3dns";
constexpr std::string_view kHostmaster = "\12hostmaster";
// Seconds; nobody transfers the zone by them, but who reads them expects CoreDNS's.
constexpr std::uint32_t kRefresh = 7200;
constexpr std::uint32_t kRetry = 1800;
constexpr std::uint32_t kExpire = 86400;

bool is_alias(const ZoneMatch& match) {
  return match.kind == Kind::kService && match.service->kind == ServiceRecords::Kind::kExternalName;
}

bool follows_alias(RecordType type) {
  return type == RecordType::kA || type == RecordType::kAaaa || type == RecordType::kCname;
}

RecordType type_of(const IpAddress& address) {
  return address.is_v4() ? RecordType::kA : RecordType::kAaaa;
}

bool is_address_type(RecordType type) {
  return type == RecordType::kA || type == RecordType::kAaaa;
}

// A Service's records are those of its cluster addresses, one a family.
bool has_cluster_address(const ServiceRecords& service, const IpAddress& address) {
  const std::string_view record = address.is_v4() ? service.a : service.aaaa;
  return !record.empty() && record.substr(kAddressRecordFront) == address.bytes();
}

// PREFIX.ZONE, on the stack.
class NameInZone {
 public:
  NameInZone(std::string_view prefix, const Name& zone) : size_(prefix.size()) {
    std::copy(prefix.begin(), prefix.end(), bytes_.begin());
    if (size_ + zone.wire().size() > bytes_.size()) size_ = 0;  // the zone's own name must do
    std::copy(zone.wire().begin(), zone.wire().end(),
              bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += zone.wire().size();
  }
  std::string_view wire() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_;
  std::array<char, kLongestName> bytes_;
};

}  // namespace

ZoneReply ZoneAnswer::write(const ServedZone& in, const LookupName& name, RecordType type) {
  const ZoneMatch match = find(zone_, in, name);
  if (is_alias(match) && follows_alias(type)) return follow(name.wire(), match.service, type);
  return write_match(match, name.wire(), type);
}

ZoneReply ZoneAnswer::follow(std::string_view owner, const ServiceRecords* service,
                             RecordType type) {
  aliased_ = true;
  for (unsigned hop = 0; hop < kMostAliases; ++hop) {
    const std::string_view target = service->external_name;
    writer_.record(Section::kAnswer, owner, RecordType::kCname, zone_.options->ttl,
                   [&](RecordData& data) { data.name(target); });
    if (type == RecordType::kCname) return ZoneReply::kAnswer;
    const LookupName next(target);
    const ServedZone* in = zone_of(zone_, next);
    if (in == nullptr) {
      alias_target_ = target;
      return ZoneReply::kAlias;
    }
    const ZoneMatch match = find(zone_, *in, next);
    if (!is_alias(match)) return write_match(match, target, type);
    owner = target;
    service = match.service;
  }
  return ZoneReply::kLoop;
}

ZoneReply ZoneAnswer::write_match(const ZoneMatch& match, std::string_view owner, RecordType type) {
  if (match.kind == Kind::kAbsent) return ZoneReply::kAbsent;
  const std::size_t before = writer_.size();
  if (type == RecordType::kAny)
    write_host_info(owner);
  else
    write_records(match, owner, type);
  if (writer_.size() != before || writer_.is_truncated()) return ZoneReply::kAnswer;
  write_denial(*match.zone);
  return ZoneReply::kNoData;
}

void ZoneAnswer::write_records(const ZoneMatch& match, std::string_view owner, RecordType type) {
  switch (match.kind) {
    case Kind::kAbsent:
    case Kind::kEmpty:
      return;
    case Kind::kApex:
      return write_apex(*match.zone, type);
    case Kind::kVersion:
      if (type == RecordType::kTxt) write_version(owner);
      return;
    case Kind::kNameServer:
      return write_local_addresses(owner, Section::kAnswer, type);
    case Kind::kService:
      return write_service(match, owner, type);
    case Kind::kEndpoint:
      return write_endpoint(match, owner, type);
    case Kind::kPod:
      return write_address(owner, match.address, Section::kAnswer, type);
    case Kind::kAddress:
      if (type == RecordType::kPtr) write_pointers(match, owner);
      return;
  }
}

void ZoneAnswer::write_apex(const ServedZone& in, RecordType type) {
  if (type == RecordType::kSoa) write_soa(in, Section::kAnswer);
  if (type == RecordType::kNs) write_name_servers(in);
}

void ZoneAnswer::write_soa(const ServedZone& in, Section section) {
  const NameInZone server(kNameServer, in.name);
  const NameInZone mailbox(kHostmaster, in.name);
  const std::uint32_t ttl = zone_.options->ttl;
  writer_.record(section, in.name.wire(), RecordType::kSoa, std::min(ttl, kLongestSoaTtl),
                 [&](RecordData& data) {
                   data.name(server.wire());
                   data.name(mailbox.wire());
                   for (const std::uint32_t number : {zone_.serial, kRefresh, kRetry, kExpire, ttl})
                     data.number(number);
                 });
}

void ZoneAnswer::write_name_server(const ServedZone& in) {
  const NameInZone server(kNameServer, in.name);
  writer_.record(Section::kAnswer, in.name.wire(), RecordType::kNs, zone_.options->ttl,
                 [&](RecordData& data) { data.name(server.wire()); });
}

void ZoneAnswer::write_name_servers(const ServedZone& in) {
  write_name_server(in);
  const NameInZone server(kNameServer, in.name);
  for (const auto type : {RecordType::kA, RecordType::kAaaa})
    write_local_addresses(server.wire(), Section::kAdditional, type);
}

void ZoneAnswer::write_local_addresses(std::string_view owner, Section section, RecordType type) {
  for (const IpAddress& address : zone_.options->local_addresses)
    write_address(owner, address, section, type);
}

void ZoneAnswer::write_version(std::string_view owner) {
  writer_.record(Section::kAnswer, owner, RecordType::kTxt, kVersionTtl,
                 [](RecordData& data) { data.text(kSchemaVersion); });
}

void ZoneAnswer::write_service(const ZoneMatch& match, std::string_view owner, RecordType type) {
  const ServiceRecords& service = *match.service;
  if (type == RecordType::kSrv && service.kind != ServiceRecords::Kind::kExternalName)
    return write_srv(zone_, match, owner, turn_, writer_);
  if (!is_address_type(type)) return;
  if (service.kind == ServiceRecords::Kind::kHeadless) {
    const Family family = type == RecordType::kA ? Family::kIpv4 : Family::kIpv6;
    const EndpointTable& table = service.endpoints->of(family);
    return write_ready_records(owner, table.records(), table.record_size());
  }
  const std::string& records = type == RecordType::kA ? service.a : service.aaaa;
  write_ready_records(owner, records, records.size());
}

void ZoneAnswer::write_endpoint(const ZoneMatch& match, std::string_view owner, RecordType type) {
  if (type == RecordType::kSrv) return write_srv(zone_, match, owner, turn_, writer_);
  if (!is_address_type(type)) return;
  const Family family = type == RecordType::kA ? Family::kIpv4 : Family::kIpv6;
  const EndpointTable& table = match.service->endpoints->of(family);
  for (const std::uint32_t index : table.with_label(match.label))
    write_ready_records(owner, table.record(index), table.record_size());
}

// The records are those of the question's name. Of another one, which an alias has led to, they
// are written anew.
void ZoneAnswer::write_ready_records(std::string_view owner, std::string_view records,
                                     std::size_t record_size) {
  if (records.empty()) return;
  if (aliased_) {
    for (; !records.empty(); records.remove_prefix(record_size)) {
      const auto address = IpAddress::from_bytes(
          records.substr(kAddressRecordFront, record_size - kAddressRecordFront));
      write_address(owner, *address, Section::kAnswer, type_of(*address));
    }
    return;
  }
  const std::size_t count = records.size() / record_size;
  const std::size_t fitting = std::min(count, writer_.left() / record_size);
  if (fitting < count) writer_.mark_truncated();
  const std::size_t start = count == 1 ? 0 : turn_ % count;
  const std::size_t first = std::min(fitting, count - start);
  writer_.raw(Section::kAnswer, records.substr(start * record_size, first * record_size), first);
  writer_.raw(Section::kAnswer, records.substr(0, (fitting - first) * record_size),
              fitting - first);
}

void ZoneAnswer::write_address(std::string_view owner, const IpAddress& address, Section section,
                               RecordType type) {
  if (type != type_of(address)) return;
  const bool written = writer_.record(section, owner, type, zone_.options->ttl,
                                      [&](RecordData& data) { data.bytes(address.bytes()); });
  if (!written && section == Section::kAnswer) writer_.mark_truncated();
}

// A Service that has the address as its own is the one answer; otherwise each endpoint's name is.
void ZoneAnswer::write_pointers(const ZoneMatch& match, std::string_view owner) {
  for (const std::string& key : *match.owners)
    if (const ServiceRecords* service = find_service(zone_, key))
      if (has_cluster_address(*service, match.address)) return write_pointer(owner, *service, {});
  for (const std::string& key : *match.owners) {
    const ServiceRecords* service = find_service(zone_, key);
    if (service == nullptr || service->endpoints == nullptr) continue;
    const EndpointTable& table = service->endpoints->of(match.address.family());
    if (const auto index = table.find(match.address))
      write_pointer(owner, *service, table.label(*index));
  }
}

void ZoneAnswer::write_pointer(std::string_view owner, const ServiceRecords& service,
                               std::string_view label) {
  const ServedZone* zone = primary_zone(*zone_.options);
  if (zone == nullptr) return;
  const FullName target(label, service, zone->name);
  if (target.wire().empty()) return;
  const bool written = writer_.record(Section::kAnswer, owner, RecordType::kPtr, zone_.options->ttl,
                                      [&](RecordData& data) { data.name(target.wire()); });
  if (!written) writer_.mark_truncated();
}

// RFC 8482, section 4.2: to an ANY query one small record, instead of all that there is.
void ZoneAnswer::write_host_info(std::string_view owner) {
  writer_.record(Section::kAnswer, owner, RecordType::kHinfo, zone_.options->ttl,
                 [](RecordData& data) {
                   data.text("RFC8482");
                   data.text("");
                 });
}

}  // namespace weft::dns
