#include "dns/srv_answer.h"

#include <algorithm>
#include <array>

#include "dns/full_name.h"

namespace weft::dns {
namespace {

unsigned matching_ports(const PortSet& ports, const WantedPort& wanted) {
  unsigned count = 0;
  ports.for_each([&](const PortSet::Port& port) { count += wanted.matches(port) ? 1U : 0U; });
  return count;
}

// Writes the records of one answer: first those of ports, then the addresses of their targets.
class SrvAnswer {
 public:
  SrvAnswer(const ClusterZone& zone, const ZoneMatch& match, std::string_view owner,
            std::uint32_t turn, MessageWriter& writer)
      : zone_(zone), match_(match), owner_(owner), turn_(turn), writer_(writer) {}

  void of_cluster_address() {
    const ServiceRecords& service = *match_.service;
    const FullName target({}, service, match_.zone->name);
    count_ = srv_targets(service, match_.port);
    if (count_ == 0 || target.wire().empty()) return;
    write_ports(service.ports, target.wire());
    for (const std::string_view record :
         {std::string_view(service.a), std::string_view(service.aaaa)})
      write_target(target.wire(), record);
  }

  void of_endpoints() {
    count_endpoint_ports();
    for_each_endpoint([&](const EndpointTable& table, std::size_t index) {
      if (is_repeated_target(endpoints(), table, index)) return;
      const FullName target(table.label(index), *match_.service, match_.zone->name);
      if (!target.wire().empty()) write_ports(ports_of(table, index), target.wire());
    });
    for_each_endpoint([&](const EndpointTable& table, std::size_t index) {
      if (!match_.port.matches_any(ports_of(table, index))) return;
      const FullName target(table.label(index), *match_.service, match_.zone->name);
      if (!target.wire().empty()) write_target(target.wire(), table.record(index));
    });
  }

 private:
  const HeadlessEndpoints& endpoints() const { return *match_.service->endpoints; }
  const PortSet& ports_of(const EndpointTable& table, std::size_t index) const {
    return endpoints().ports[table.port_set(index)].set;
  }

  // The endpoints that are asked for, beginning with another one each turn, as long as there is
  // room: of ten thousand a message holds a few hundred.
  template <class Use>
  void for_each_endpoint(Use use) const {
    for (const EndpointTable* table : {&endpoints().v4, &endpoints().v6}) {
      if (match_.kind == ZoneMatch::Kind::kEndpoint) {
        for (const std::uint32_t index : table->with_label(match_.label)) use(*table, index);
        continue;
      }
      const std::size_t count = table->size();
      for (std::size_t i = 0; i < count && !full_; ++i) use(*table, (turn_ + i) % count);
    }
  }

  void count_endpoint_ports() {
    if (match_.kind != ZoneMatch::Kind::kEndpoint) {
      count_ = srv_targets(*match_.service, match_.port);
      return;
    }
    for_each_endpoint([&](const EndpointTable& table, std::size_t index) {
      count_ += matching_ports(ports_of(table, index), match_.port);
    });
  }

  void write_ports(const PortSet& ports, std::string_view target) {
    const std::uint16_t weight = srv_weight(count_);
    ports.for_each([&](const PortSet::Port& port) {
      // Port 0 stands for every port: there is nothing to say of it.
      if (!match_.port.matches(port) || port.number == 0) return;
      const bool written = writer_.record(Section::kAnswer, owner_, RecordType::kSrv,
                                          zone_.options->ttl, [&](RecordData& data) {
                                            data.word(0);  // priority
                                            data.word(weight);
                                            data.word(port.number);
                                            data.plain_name(target);
                                          });
      if (written) return;
      writer_.mark_truncated();
      full_ = true;
    });
  }

  // From a ready address record the address, under the target's name. Leaving it out is no
  // truncation: a client can ask for it.
  void write_target(std::string_view target, std::string_view record) {
    if (record.empty() || full_) return;
    const std::string_view address = record.substr(kAddressRecordFront);
    const auto type = address.size() == 4 ? RecordType::kA : RecordType::kAaaa;
    full_ = !writer_.record(Section::kAdditional, target, type, zone_.options->ttl,
                            [&](RecordData& data) { data.bytes(address); });
  }

  const ClusterZone& zone_;
  const ZoneMatch& match_;
  const std::string_view owner_;
  const std::uint32_t turn_;
  MessageWriter& writer_;
  unsigned count_ = 0;  // of ports and addresses together
  bool full_ = false;   // the message
};

}  // namespace

unsigned srv_targets(const ServiceRecords& service, const WantedPort& port) {
  if (service.kind != ServiceRecords::Kind::kHeadless) {
    const unsigned families = (service.a.empty() ? 0U : 1U) + (service.aaaa.empty() ? 0U : 1U);
    return families * matching_ports(service.ports, port);
  }
  unsigned count = 0;
  for (const auto& ports : service.endpoints->ports)
    count += ports.endpoints * matching_ports(ports.set, port);
  return count;
}

std::uint16_t srv_weight(unsigned targets) {
  constexpr unsigned kAllWeights = 100;
  return static_cast<std::uint16_t>(std::max(1U, kAllWeights / std::max(1U, targets)));
}

bool is_repeated_target(const HeadlessEndpoints& endpoints, const EndpointTable& table,
                        std::size_t index) {
  for (const std::uint32_t other : table.with_label(table.label(index))) {
    if (other == index) break;
    if (table.port_set(other) == table.port_set(index)) return true;
  }
  return &table == &endpoints.v6 && !endpoints.v4.with_label(table.label(index)).empty();
}

void write_srv(const ClusterZone& zone, const ZoneMatch& match, std::string_view owner,
               std::uint32_t turn, MessageWriter& writer) {
  SrvAnswer answer(zone, match, owner, turn, writer);
  if (match.service->kind == ServiceRecords::Kind::kHeadless)
    answer.of_endpoints();
  else
    answer.of_cluster_address();
}

}  // namespace weft::dns
