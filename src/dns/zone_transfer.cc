#include "dns/zone_transfer.h"

#include <algorithm>

#include "dns/full_name.h"
#include "dns/lookup_name.h"
#include "dns/srv_answer.h"
#include "dns/zone_answer.h"

namespace weft::dns {
namespace {

using Kind = ServiceRecords::Kind;

// "_http._tcp", each label behind its length.
std::string port_labels(const PortSet::Port& port) {
  std::string labels;
  for (const std::string& text : {std::string(port.name), lower(to_string(port.protocol))})
    labels += static_cast<char>(text.size() + 1) + ("_" + text);
  return labels;
}

// The records of one Service in an order that is always the same, from a certain one on.
class ServiceRow {
 public:
  ServiceRow(const ClusterZone& zone, const ServedZone& in, const ServiceRecords& service,
             std::size_t first, MessageWriter& writer)
      : zone_(zone), in_(in), service_(service), first_(first), writer_(writer) {}

  /// False: there was no room for the record at().
  bool write() {
    switch (service_.kind) {
      case Kind::kClusterIp:
        write_cluster_address();
        break;
      case Kind::kHeadless:
        write_endpoints();
        break;
      case Kind::kExternalName:
        record({}, RecordType::kCname,
               [&](RecordData& data) { data.name(service_.external_name); });
        break;
    }
    return !is_full_;
  }
  std::size_t at() const { return at_; }

 private:
  template <class Fill>
  void record(std::string_view labels, RecordType type, Fill fill) {
    if (is_full_) return;
    const FullName owner(labels, service_, in_.name);
    const bool is_due = at_ >= first_ && !owner.wire().empty();
    if (is_due)
      is_full_ = !writer_.record(Section::kAnswer, owner.wire(), type, zone_.options->ttl, fill);
    if (!is_full_) ++at_;
  }

  void address(std::string_view labels, std::string_view bytes) {
    record(labels, bytes.size() == 4 ? RecordType::kA : RecordType::kAaaa,
           [&](RecordData& data) { data.bytes(bytes); });
  }

  void write_cluster_address() {
    for (const std::string* ready : {&service_.a, &service_.aaaa})
      if (!ready->empty()) address({}, std::string_view(*ready).substr(kAddressRecordFront));
    write_ports(service_.ports, {});
  }

  void write_endpoints() {
    const HeadlessEndpoints& endpoints = *service_.endpoints;
    for (const EndpointTable* table : {&endpoints.v4, &endpoints.v6})
      for (std::size_t i = 0; i < table->size() && !is_full_; ++i) {
        address({}, table->address(i));
        address(table->label(i), table->address(i));
        if (!is_repeated_target(endpoints, *table, i))
          write_ports(endpoints.ports[table->port_set(i)].set, table->label(i));
      }
  }

  // SRV of the Service's own name and, of a port with a name, of that one.
  void write_ports(const PortSet& ports, std::string_view target_label) {
    const FullName target(target_label, service_, in_.name);
    if (target.wire().empty()) return;
    ports.for_each([&](const PortSet::Port& port) {
      if (port.number == 0) return;
      srv({}, {}, port, target.wire());
      if (port.name.empty()) return;
      const std::string protocol = lower(to_string(port.protocol));
      srv(port_labels(port), {.name = port.name, .protocol = protocol}, port, target.wire());
    });
  }

  void srv(std::string_view labels, const WantedPort& wanted, const PortSet::Port& port,
           std::string_view target) {
    if (is_full_) return;
    record(labels, RecordType::kSrv, [&](RecordData& data) {
      data.word(0);  // priority
      data.word(srv_weight(srv_targets(service_, wanted)));
      data.word(port.number);
      data.plain_name(target);
    });
  }

  const ClusterZone& zone_;
  const ServedZone& in_;
  const ServiceRecords& service_;
  const std::size_t first_;
  MessageWriter& writer_;
  std::size_t at_ = 0;
  bool is_full_ = false;  // the message
};

// Answers out of the zone, as to whoever asks.
void write_answer(const ClusterZone& zone, const ServedZone& in, std::string_view labels,
                  RecordType type, MessageWriter& writer) {
  const std::string name = std::string(labels).append(in.name.wire());
  (void)ZoneAnswer(zone, writer, 0).write(in, LookupName(name), type);
}

}  // namespace

ZoneTransfer::ZoneTransfer(std::shared_ptr<const ClusterZone> zone, const ServedZone& in,
                           const Query& query)
    : zone_(std::move(zone)), in_(in), question_(query.question), query_(query) {
  query_.question = question_;
  query_.name = query_.question.substr(0, query.name.size());
  query_.edns.reset();  // the first message has it
  zone_->services.for_each([&](const std::shared_ptr<const ServiceRecords>& service) {
    if (find_service(*zone_, service->name_and_namespace()) != nullptr)
      services_.push_back(service.get());
  });
  std::sort(services_.begin(), services_.end(), [](const auto* one, const auto* other) {
    return one->name_and_namespace() < other->name_and_namespace();
  });
}

std::size_t ZoneTransfer::next(std::span<char> room) {
  if (is_over()) return 0;
  MessageWriter writer(room, kMessage);
  writer.begin(query_);
  write(writer);
  Header header = reply_header(query_, Rcode::kNoError);
  header.authoritative = true;
  return writer.finish(header);
}

void ZoneTransfer::write(MessageWriter& writer) {
  if (part_ == Part::kBegin) write_front(writer);
  while (part_ == Part::kServices)
    if (!write_service(writer)) return;
  if (part_ != Part::kEnd) return;
  const std::size_t before = writer.size();
  write_answer(*zone_, in_, {}, RecordType::kSoa, writer);
  if (writer.size() != before) part_ = Part::kOver;
}

// A few hundred bytes, which any message has room for.
void ZoneTransfer::write_front(MessageWriter& writer) {
  write_answer(*zone_, in_, {}, RecordType::kSoa, writer);
  ZoneAnswer(*zone_, writer, 0).write_name_server(in_);
  for (const IpAddress& address : zone_->options->local_addresses)
    writer.record(Section::kAnswer, std::string("\2ns\3dns").append(in_.name.wire()),
                  address.is_v4() ? RecordType::kA : RecordType::kAaaa, zone_->options->ttl,
                  [&](RecordData& data) { data.bytes(address.bytes()); });
  write_answer(*zone_, in_, "\13dns-version", RecordType::kTxt, writer);
  part_ = services_.empty() ? Part::kEnd : Part::kServices;
}

// False: the message is full.
bool ZoneTransfer::write_service(MessageWriter& writer) {
  ServiceRow row(*zone_, in_, *services_[service_], record_, writer);
  const bool is_whole = row.write();
  record_ = is_whole ? 0 : row.at();
  if (is_whole && ++service_ == services_.size()) part_ = Part::kEnd;
  return is_whole;
}

}  // namespace weft::dns
