#include "cluster/lease.h"

#include "base/json.h"
#include "base/text.h"

namespace weft {
namespace {

// "ADDRESS-LENGTH" of one family. flannel reads the length of an IPv4 subnet in five bits and
// of an IPv6 one in seven, so that a /32 and a /128 are no keys.
std::optional<Prefix> parse_half(std::string_view text, Family family) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, dash));
  const auto length = parse_number(text.substr(dash + 1));
  if (!address || address->family() != family) return std::nullopt;
  if (!length || *length >= address_bits(family)) return std::nullopt;
  const Prefix prefix(*address, static_cast<std::uint8_t>(*length));
  if (prefix.address() != *address) return std::nullopt;
  return prefix;
}

std::string half(const Prefix& prefix) {
  return prefix.address().to_string() + "-" + std::to_string(prefix.length());
}

Result<std::optional<IpAddress>> read_address(const Json& value, std::string_view key,
                                              Family family) {
  const Json* member = find_member(value, key);
  if (member == nullptr || member->is_null()) return std::nullopt;
  if (!member->is_string()) return fail(std::string(key) + " is no string");
  const auto& text = member->get_ref<const std::string&>();
  const auto address = IpAddress::parse(text);
  if (!address || address->family() != family)
    return fail(std::string(key) + " \"" + text.substr(0, 60) + "\" is no " +
                std::string(to_string(family)) + " address");
  // A node without IPv4 publishes 0.0.0.0.
  if (address->is_unspecified()) return std::nullopt;
  return address;
}

std::string read_data(const Json& value, std::string_view key) {
  const Json* member = find_member(value, key);
  return member == nullptr || member->is_null() ? "" : to_text(*member);
}

}  // namespace

std::optional<LeaseKey> LeaseKey::parse(std::string_view text) {
  const auto ampersand = text.find('&');
  LeaseKey key;
  key.ipv4 = parse_half(text.substr(0, ampersand), Family::kIpv4);
  if (!key.ipv4) return std::nullopt;
  if (ampersand != std::string_view::npos) {
    key.ipv6 = parse_half(text.substr(ampersand + 1), Family::kIpv6);
    if (!key.ipv6) return std::nullopt;
  }
  if (key.ipv4->is_default()) {
    if (!key.ipv6) return std::nullopt;
    key.ipv4.reset();
  }
  return key;
}

std::string LeaseKey::to_string() const {
  std::string text = half(ipv4.value_or(Prefix()));
  if (ipv6) text += "&" + half(*ipv6);
  return text;
}

std::string LeaseKey::describe() const {
  std::string text = ipv4 ? ipv4->to_string() : "";
  if (ipv6) text += (text.empty() ? "" : " and ") + ipv6->to_string();
  return text;
}

std::string Lease::describe() const {
  return node.empty() ? "lease " + key.describe() : "node " + node + " (" + key.describe() + ")";
}

Result<LeaseAttributes> LeaseAttributes::parse(std::string_view json) {
  ASSIGN_OR_RETURN(const Json value, parse_json(json));
  return read(value);
}

Result<LeaseAttributes> LeaseAttributes::read(const Json& value) {
  if (!value.is_object()) return fail("the value is no JSON object");
  LeaseAttributes attributes;
  ASSIGN_OR_RETURN(attributes.public_ipv4, read_address(value, "PublicIP", Family::kIpv4));
  ASSIGN_OR_RETURN(attributes.public_ipv6, read_address(value, "PublicIPv6", Family::kIpv6));
  if (!attributes.public_ipv4 && !attributes.public_ipv6)
    return fail("neither PublicIP nor PublicIPv6 is there");
  ObjectReader reader(value, "lease");
  reader.read("BackendType", attributes.backend_type);
  RETURN_IF_ERROR(reader.finish());
  attributes.backend_data = read_data(value, "BackendData");
  attributes.backend_v6_data = read_data(value, "BackendV6Data");
  return attributes;
}

std::string LeaseAttributes::to_json() const {
  const auto quoted = [](const std::string& text) { return to_text(Json(text)); };
  std::string json = "{\"PublicIP\":" + quoted(public_ipv4.value_or(IpAddress()).to_string()) +
                     ",\"PublicIPv6\":" + (public_ipv6 ? quoted(public_ipv6->to_string()) : "null");
  if (!backend_type.empty()) json += ",\"BackendType\":" + quoted(backend_type);
  if (!backend_data.empty()) json += ",\"BackendData\":" + backend_data;
  if (!backend_v6_data.empty()) json += ",\"BackendV6Data\":" + backend_v6_data;
  return json + "}";
}

}  // namespace weft
