#include "cni/plugins/firewalld.h"

#include "cni/system_bus.h"

namespace weft::cni {
namespace {

constexpr const char* kName = "org.fedoraproject.FirewallD1";

DbusCall zone_call(const char* member, const std::string& zone, const IpAddress& address) {
  return {.destination = kName,
          .path = "/org/fedoraproject/FirewallD1",
          .interface = "org.fedoraproject.FirewallD1.zone",
          .member = member,
          .arguments = {zone, Prefix::host(address).to_string()}};
}

}  // namespace

bool firewalld_runs() {
  auto bus = SystemBus::connect();
  return bus && bus->has_owner(kName).value_or(false);
}

CniStatus add_firewalld_sources(const std::string& zone, const std::vector<IpAddress>& addresses) {
  ASSIGN_OR_RETURN(SystemBus bus, SystemBus::connect());
  for (const auto& address : addresses) {
    ASSIGN_OR_RETURN(const DbusMessage answer, bus.call(zone_call("addSource", zone, address)));
    const std::string said = answer.error_name + ": " + answer.text;
    if (answer.type == DbusMessage::Type::kError &&
        said.find("ZONE_ALREADY_SET") == std::string::npos)
      return refuse("failed to add the address " + Prefix::host(address).to_string() + " to " +
                    zone + " zone: " + said);
  }
  return {};
}

void remove_firewalld_sources(const std::string& zone, const std::vector<IpAddress>& addresses) {
  auto bus = SystemBus::connect();
  if (!bus) return;
  for (const auto& address : addresses) (void)bus->call(zone_call("removeSource", zone, address));
}

CniStatus check_firewalld_sources(const std::string& zone,
                                  const std::vector<IpAddress>& addresses) {
  ASSIGN_OR_RETURN(SystemBus bus, SystemBus::connect());
  for (const auto& address : addresses) {
    ASSIGN_OR_RETURN(const DbusMessage answer, bus.call(zone_call("querySource", zone, address)));
    if (answer.type == DbusMessage::Type::kError || !answer.truth)
      return refuse("failed to find the address " + Prefix::host(address).to_string() + " in " +
                    zone + " zone");
  }
  return {};
}

}  // namespace weft::cni
