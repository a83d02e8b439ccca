#include "cni/json_reading.h"

#include <string>

namespace weft::cni {

std::optional<IpAddress> parse_ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address || address->is_v4()) return address;
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (!address->bytes().starts_with(kMapped)) return address;
  return IpAddress::from_bytes(address->bytes().substr(kMapped.size()));
}

void read_ip(ObjectReader& reader, std::string_view key, std::optional<IpAddress>& target) {
  std::string text;
  reader.read(key, text);
  if (text.empty()) return;
  target = parse_ip(text);
  if (!target) reader.reject(key, "invalid IP address: " + text);
}

void read_cidr(ObjectReader& reader, std::string_view key,
               std::optional<InterfaceAddress>& target) {
  std::string text;
  reader.read(key, text);
  if (text.empty()) return;
  target = InterfaceAddress::parse(text);
  if (!target) reader.reject(key, "invalid CIDR address: " + text);
}

}  // namespace weft::cni
