#include "service/stale_flows.h"

#include <algorithm>
#include <utility>

namespace weft::service {
namespace {

bool serves(const std::vector<EndpointRecord>& serving, const EndpointRecord& place) {
  const auto found = std::lower_bound(serving.begin(), serving.end(), place, before_in_place);
  return found != serving.end() && found->same_place(place);
}

const FlowPort* port_with(const std::vector<FlowPort>& ports, const FrontKey& front) {
  for (const FlowPort& port : ports)
    if (std::find(port.fronts.begin(), port.fronts.end(), front) != port.fronts.end()) return &port;
  return nullptr;
}

bool has_lost_one(const FlowPort& before, const FlowPort& now) {
  return std::any_of(
      before.serving.begin(), before.serving.end(),
      [&](const EndpointRecord& endpoint) { return !serves(now.serving, endpoint); });
}

}  // namespace

void FlowBook::claim(const Ports& ports) {
  for (const FlowPort& port : ports)
    for (const FrontKey& front : port.fronts) ++claims_[front];
}

void FlowBook::release(const Ports& ports) {
  for (const FlowPort& port : ports)
    for (const FrontKey& front : port.fronts)
      if (const auto found = claims_.find(front); --found->second == 0) claims_.erase(found);
}

void FlowBook::note_one(const PlannedService& service, Suspects& suspects) {
  const auto found = services_.find(service.name);
  const Ports before = found == services_.end() ? Ports() : std::move(found->second);
  release(before);
  if (service.flows.empty()) {
    if (found != services_.end()) services_.erase(found);
    return;
  }
  claim(service.flows);
  for (const FlowPort& port : service.flows)
    for (const FrontKey& front : port.fronts) {
      const FlowPort* former = port_with(before, front);
      const bool begins = (former == nullptr || former->serving.empty()) && !port.serving.empty();
      if (begins || (former != nullptr && has_lost_one(*former, port)))
        suspects.emplace(front, &port);
    }
  services_[service.name] = service.flows;
}

void FlowBook::add_rivals(const FrontKey& front, std::vector<EndpointRecord>& serving) const {
  for (const auto& [name, ports] : services_)
    if (const FlowPort* port = port_with(ports, front))
      serving.insert(serving.end(), port->serving.begin(), port->serving.end());
  std::sort(serving.begin(), serving.end(), before_in_place);
}

std::vector<FlowFront> FlowBook::note(const std::vector<PlannedService>& services) {
  Suspects suspects;
  for (const PlannedService& service : services) note_one(service, suspects);
  std::vector<FlowFront> fronts;
  for (const auto& [front, port] : suspects) {
    fronts.push_back({.front = front, .serving = port->serving});
    if (claims_.at(front) > 1) add_rivals(front, fronts.back().serving);
  }
  return fronts;
}

std::vector<PlannedService> relayed_flows(const std::vector<PlannedService>& services) {
  std::vector<PlannedService> relayed;
  for (const PlannedService& service : services) {
    PlannedService& same = relayed.emplace_back(PlannedService{.name = service.name});
    same.flows = service.flows;
    // One that always serves, and that no entry leads to.
    for (FlowPort& flow : same.flows) flow.serving = {EndpointRecord{}};
  }
  return relayed;
}

bool is_stale(const ConntrackEntry& entry, const FlowFront& front,
              const std::set<IpAddress>& own_addresses) {
  const FlowTuple& original = entry.original;
  // Other zones are other programs' tables.
  if (entry.zone != 0 || original.protocol != static_cast<std::uint8_t>(front.front.protocol) ||
      original.destination_port != front.front.port)
    return false;
  const IpAddress& address = front.front.address;
  const bool to_front =
      address.is_unspecified()
          ? original.destination.family() == address.family() &&
                (own_addresses.contains(original.destination) || original.destination.is_loopback())
          : original.destination == address;
  const EndpointRecord leads_to{.address = entry.reply.source, .port = entry.reply.source_port};
  return to_front && !serves(front.serving, leads_to);
}

}  // namespace weft::service
