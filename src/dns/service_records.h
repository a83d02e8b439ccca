// service_records.h: all that DNS says of one Service, in the form in which it is answered.
//
// Immutable: a change of the Service or of its endpoints makes another one. A Service with a
// cluster address and two ports takes some 500 bytes with its places in the zone's indexes, an
// endpoint of a headless one 150.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/service.h"
#include "dns/endpoint_table.h"

namespace weft::dns {

/// Ports of a Service or a slice in one string: the label of the name, the protocol, the number.
class PortSet {
 public:
  struct Port {
    std::string_view name;  ///< in small letters; empty for one without a name
    ServiceProtocol protocol;
    std::uint16_t number;
  };

  /// A name that is no label (longer than 62 bytes) is taken for none.
  void add(std::string_view name, ServiceProtocol protocol, std::uint16_t number);

  template <class Use>
  void for_each(Use use) const {
    for (std::string_view left = bytes_; !left.empty();) use(take(left));
  }
  bool empty() const { return bytes_.empty(); }
  bool operator==(const PortSet&) const = default;

 private:
  static Port take(std::string_view& left);
  std::string bytes_;
};

/// What an SRV query asks for: "_http._tcp" in front of a name, or nothing, which is every port.
struct WantedPort {
  std::string_view name = {};  ///< without underscore, in small letters
  std::string_view protocol = {};
  bool any() const { return protocol.empty(); }
  bool matches(const PortSet::Port& port) const;
  bool matches_any(const PortSet& ports) const;
};

/// The endpoints of a headless Service.
struct HeadlessEndpoints {
  /// Slices may differ in their ports.
  struct Ports {
    PortSet set = {};
    unsigned endpoints = 0;  ///< that have them
  };
  EndpointTable v4 = {};
  EndpointTable v6 = {};
  std::vector<Ports> ports = {};  ///< by TableEntry::port_set
  bool empty() const { return v4.size() + v6.size() == 0; }
  const EndpointTable& of(Family family) const { return family == Family::kIpv4 ? v4 : v6; }
};

/// Services by their keys (service_key()).
using ServiceKeys = std::vector<std::string>;

struct ServiceRecords {
  enum class Kind : std::uint8_t { kClusterIp, kHeadless, kExternalName };

  /// A list of one: the Service's own key. Shared with every later version, and with the reverse
  /// entries of its addresses.
  std::shared_ptr<const ServiceKeys> key = {};
  Kind kind = Kind::kClusterIp;
  // Of kClusterIp: address records whose owner is the question's name, and the Service's ports.
  std::string a = {};
  std::string aaaa = {};
  PortSet ports = {};
  // Of kHeadless; nullptr while there is none.
  std::shared_ptr<const HeadlessEndpoints> endpoints = {};
  // Of kExternalName: the name's wire form. Empty where it is an address, or no name at all:
  // then there is nothing to be said of the Service.
  std::string external_name = {};
  /// kClusterIp: whether any endpoint is ready. Counted only where the zone asks for it.
  bool has_endpoints = true;

  std::string_view name_and_namespace() const { return key->front(); }
};

/// "\4name\2ns" in small letters: the middle of a Service's full name. Nothing where one of them is
/// no DNS label.
std::optional<std::string> service_key(const ServiceName& name);

/// The name behind a key, in small letters.
ServiceName name_of_key(std::string_view key);

/// The label of an endpoint's own name: its hostname, or `pod` (where the zone uses that), or its
/// address with dashes. What is no label is passed over.
std::string endpoint_label(const IpAddress& address, std::string_view hostname,
                           std::string_view pod);
/// "10-0-0-1", "fd00--1"; an address that ends in "::" gets a 0, so that no label ends in a dash.
std::string dashed(const IpAddress& address);
/// The address that a pod's label stands for; nothing for another label.
std::optional<IpAddress> address_of_dashed(std::string_view label);

}  // namespace weft::dns
