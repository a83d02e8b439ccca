// object_texts.h: addresses, ports and numbers as Kubernetes objects spell them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace weft {

/// Labels by which an object asks to be left to another proxy, or to none.
inline constexpr std::string_view kProxyNameLabel = "service.kubernetes.io/service-proxy-name";
inline constexpr std::string_view kHeadlessLabel = "service.kubernetes.io/headless";
inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

/// Reads also what Go once read: leading zeros ("010.000.0.1" is 10.0.0.1), and an IPv4 address in
/// IPv6's spelling. Objects with such addresses are in clusters still.
std::optional<IpAddress> parse_object_address(std::string_view text);

/// Where nobody can be sent: unspecified, loopback, link-local, multicast.
bool is_special(const IpAddress& address);

/// A number from 1 to 65535.
std::optional<std::uint16_t> to_port(std::int64_t number);

/// Sentences about what was left out of an object; the first few tell enough.
class Faults {
 public:
  explicit Faults(std::vector<std::string>& sentences) : sentences_(sentences) {}
  void add(std::string_view field, const std::string& reason);

 private:
  std::vector<std::string>& sentences_;
};

/// The addresses that can be used; each other one is a fault of `field`.
std::vector<IpAddress> usable_addresses(const std::vector<std::string>& texts,
                                        std::string_view field, Faults& faults);

}  // namespace weft
