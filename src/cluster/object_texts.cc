#include "cluster/object_texts.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace weft {
namespace {

constexpr std::size_t kMostFaults = 8;

std::string without_leading_zeros(std::string_view dotted) {
  std::string plain;
  for (const auto& part : split(dotted, '.')) {
    if (!plain.empty()) plain += '.';
    const auto digit = part.find_first_not_of('0');
    plain += digit == std::string::npos && !part.empty() ? "0"
             : digit == std::string::npos                ? ""
                                                         : part.substr(digit);
  }
  return plain;
}

}  // namespace

std::optional<IpAddress> parse_object_address(std::string_view text) {
  const auto address = text.find(':') == std::string_view::npos
                           ? IpAddress::parse(without_leading_zeros(text))
                           : IpAddress::parse(text);
  constexpr std::string_view kMapped{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12};
  if (address && !address->is_v4() && address->bytes().starts_with(kMapped))
    return IpAddress::from_bytes(address->bytes().substr(kMapped.size()));
  return address;
}

bool is_special(const IpAddress& address) {
  return address.is_unspecified() || address.is_loopback() || address.is_link_local() ||
         address.is_multicast();
}

std::optional<std::uint16_t> to_port(std::int64_t number) {
  if (number < 1 || number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

void Faults::add(std::string_view field, const std::string& reason) {
  if (sentences_.size() < kMostFaults) sentences_.push_back(std::string(field) + ": " + reason);
}

std::vector<IpAddress> usable_addresses(const std::vector<std::string>& texts,
                                        std::string_view field, Faults& faults) {
  std::vector<IpAddress> addresses;
  for (const auto& text : texts) {
    const auto address = parse_object_address(text);
    if (!address)
      faults.add(field, shown(text) + " is no address");
    else if (is_special(*address))
      faults.add(field, shown(text) + " is no address that traffic can be sent to");
    else if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end())
      faults.add(field, shown(text) + " is there twice");
    else
      addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace weft
