// net_conf.h: flannel's net-conf.json, read and checked.
//
// The keys, defaults and limits are flannel's (pkg/subnet/config.go); keys match in any case
// and unknown ones are ignored, as Go reads them. Everything is checked here, whatever the
// store: flannel checks only what comes from etcd.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "net/address.h"
#include "net/link.h"
#include "overlay/command_template.h"

namespace weft::overlay {

/// The pod network of one family and how it is cut into subnets, one a node.
struct PodNetwork {
  Prefix network;
  std::uint8_t subnet_length = 24;
  Prefix first;  ///< the first subnet that may be given out (SubnetMin)
  Prefix last;   ///< the last one (SubnetMax)

  /// Whether a lease for `subnet` can be of this network: its length is right and it lies
  /// between the first and the last.
  bool allows(const Prefix& subnet) const {
    return subnet.length() == subnet_length && first <= subnet && subnet <= last;
  }
  bool operator==(const PodNetwork&) const = default;
};

struct VxlanBackend {
  Vni vni{1};
  std::uint16_t port = 0;  ///< 0: the kernel's default, 8472
  std::uint32_t mtu = 0;   ///< of the underlay; 0: that of the uplink
  bool gbp = false;
  bool learning = false;
  bool direct_routing = false;  ///< peers on the uplink's own network get a plain route
  bool operator==(const VxlanBackend&) const = default;
};

struct HostGwBackend {
  bool operator==(const HostGwBackend&) const = default;
};

struct UdpBackend {
  std::uint16_t port = 8285;
  bool operator==(const UdpBackend&) const = default;
};

/// A lease and nothing else: somebody outside routes the subnets.
struct AllocBackend {
  bool operator==(const AllocBackend&) const = default;
};

/// Commands of the operator; an empty one is not run.
struct ExtensionBackend {
  CommandTemplate pre_startup;    ///< before a lease is taken; what it prints is published
  CommandTemplate post_startup;   ///< once this node's subnet is known
  CommandTemplate subnet_add;     ///< a peer came or changed
  CommandTemplate subnet_remove;  ///< a peer left or changed
  bool operator==(const ExtensionBackend&) const = default;
};

using Backend =
    std::variant<VxlanBackend, HostGwBackend, UdpBackend, AllocBackend, ExtensionBackend>;

/// As the configuration's Type.
std::string_view backend_name(const Backend& backend);

/// What a node publishes as its BackendType: "vxlan", "host-gw", "extension"; nothing for
/// udp and alloc.
std::string_view backend_type(const Backend& backend);

struct NetConf {
  std::map<Family, PodNetwork> networks;  ///< of each family that is enabled; at least one
  bool nftables = false;                  ///< rules through nftables instead of iptables
  Backend backend;

  static Result<NetConf> parse(std::string_view json);
  bool operator==(const NetConf&) const = default;
};

}  // namespace weft::overlay
