#include "service/portals.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "service/iptables_names.h"

namespace weft::service {

bool Portals::is_carried(const PortPlan& port) const {
  return port.protocol != ServiceProtocol::kSctp &&
         (choice_.every_port ||
          std::any_of(port.fronts.begin(), port.fronts.end(),
                      [](const Front& front) { return front.kind == FrontKind::kNodePort; }));
}

// Whoever has a front so far may lose it.
void Portals::claim(const Services::value_type& entry, std::set<ServiceName>& touched) {
  const Claimant who{.created = entry.second.created, .name = &entry.first};
  for (const Port& port : entry.second.ports)
    for (const Front& front : port.fronts) {
      if (const ServiceName* owner = fronts_.owner(port.key(front))) touched.insert(*owner);
      fronts_.claim(who, port.key(front));
    }
}

void Portals::release(const Services::value_type& entry, std::set<ServiceName>& touched) {
  const Claimant who{.created = entry.second.created, .name = &entry.first};
  for (const Port& port : entry.second.ports)
    for (const Front& front : port.fronts) {
      fronts_.release(who, port.key(front));
      if (const ServiceName* heir = fronts_.owner(port.key(front))) touched.insert(*heir);
    }
}

void Portals::put(const ServiceName& name, UnixSeconds created, const ServicePlan& plan) {
  if (plan.ports.empty()) return remove(name);
  std::set<ServiceName> touched{name};
  const auto place = services_.try_emplace(name).first;
  Service& service = place->second;
  release(*place, touched);
  std::vector<Port> former = std::exchange(service.ports, {});
  service.created = created;
  for (const PortPlan& planned : plan.ports) {
    if (!is_carried(planned)) continue;
    Port port{.name = port_name(name, planned), .protocol = planned.protocol};
    const auto was = std::find_if(former.begin(), former.end(), [&](const Port& each) {
      return each.name == port.name && each.protocol == port.protocol;
    });
    if (was != former.end()) {
      port.relayed = std::move(was->relayed);
      port.told = std::move(was->told);
    } else {
      port.relayed = std::make_unique<RelayedPort>(relay_, planned.protocol);
    }
    port.fronts = planned.fronts;
    port.relayed->set_endpoints(planned);
    service.ports.push_back(std::move(port));
  }
  // What is not wanted any more is closed before anybody else takes it.
  former.clear();
  claim(*place, touched);
  listen(touched);
}

void Portals::put(const PlannedService& service) {
  const auto plan = service.plans.find(choice_.node_ports_at.family());
  if (plan == service.plans.end())
    remove(service.name);
  else
    put(service.name, service.created, plan->second);
}

void Portals::remove(const ServiceName& name) {
  const auto place = services_.find(name);
  if (place == services_.end()) return;
  std::set<ServiceName> touched;
  release(*place, touched);
  services_.erase(place);
  listen(touched);
}

// First all give up what is not theirs any more, and then they take.
void Portals::listen(const std::set<ServiceName>& touched) {
  for (const bool takes : {false, true})
    for (const auto& name : touched)
      if (const auto found = services_.find(name); found != services_.end()) settle(*found, takes);
}

void Portals::settle(Services::value_type& entry, bool takes) {
  for (Port& port : entry.second.ports) {
    std::set<ListenAt> wanted;
    if (choice_.every_port) wanted.insert(any_port());
    for (const Front& front : port.fronts) {
      if (front.kind != FrontKind::kNodePort) continue;
      const ListenAt at{choice_.node_ports_at, front.port};
      if (fronts_.owner(port.key(front)) == &entry.first && (takes || port.relayed->port(at)))
        wanted.insert(at);
    }
    std::string why;
    for (const Error& error : port.relayed->listen(wanted))
      why += (why.empty() ? "" : "; ") + error.text();
    if (why != port.told && !why.empty()) spdlog::warn("service {}: {}", port.name, why);
    port.told = std::move(why);
  }
}

std::vector<Portal> Portals::open() const {
  std::vector<Portal> portals;
  for (const auto& entry : services_)
    for (const Port& port : entry.second.ports) {
      const auto relay_port = port.relayed->port(any_port());
      if (!relay_port) continue;
      Portal portal{
          .name = port.name, .protocol = port.protocol, .fronts = {}, .relay_port = *relay_port};
      for (const Front& front : port.fronts)
        if (fronts_.owner(port.key(front)) == &entry.first &&
            (front.kind != FrontKind::kNodePort ||
             port.relayed->port({choice_.node_ports_at, front.port})))
          portal.fronts.push_back(front);
      portals.push_back(std::move(portal));
    }
  return portals;
}

}  // namespace weft::service
