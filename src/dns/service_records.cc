#include "dns/service_records.h"

#include <algorithm>

#include "dns/bytes.h"
#include "dns/name.h"

namespace weft::dns {
namespace {

// An underscore stands in front of it.
constexpr std::size_t kLongestPortName = kLongestLabel - 1;

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= kLongestLabel && text.find('.') == std::string_view::npos;
}

std::string label_behind_length(std::string_view text) {
  return static_cast<char>(text.size()) + lower(text);
}

std::string_view protocol_name(ServiceProtocol protocol) {
  switch (protocol) {
    case ServiceProtocol::kTcp:
      return "tcp";
    case ServiceProtocol::kUdp:
      return "udp";
    case ServiceProtocol::kSctp:
      return "sctp";
  }
  return {};
}

}  // namespace

void PortSet::add(std::string_view name, ServiceProtocol protocol, std::uint16_t number) {
  const std::string_view label = name.size() <= kLongestPortName ? name : std::string_view();
  std::string port = label_behind_length(label);
  port += static_cast<char>(protocol);
  port.resize(port.size() + 2);
  put_word(port.data() + port.size() - 2, number);
  bytes_ += port;
  bytes_.shrink_to_fit();
}

PortSet::Port PortSet::take(std::string_view& left) {
  const std::size_t size = byte_at(left, 0);
  const Port port{.name = left.substr(1, size),
                  .protocol = static_cast<ServiceProtocol>(byte_at(left, 1 + size)),
                  .number = word_at(left, 2 + size)};
  left.remove_prefix(4 + size);
  return port;
}

bool WantedPort::matches(const PortSet::Port& port) const {
  if (any()) return true;
  return !name.empty() && port.name == name && protocol_name(port.protocol) == protocol;
}

bool WantedPort::matches_any(const PortSet& ports) const {
  bool found = false;
  ports.for_each([&](const PortSet::Port& port) { found = found || matches(port); });
  return found;
}

std::optional<std::string> service_key(const ServiceName& name) {
  if (!is_label(name.name) || !is_label(name.ns)) return std::nullopt;
  return label_behind_length(name.name) + label_behind_length(name.ns);
}

ServiceName name_of_key(std::string_view key) {
  const std::size_t size = byte_at(key, 0);
  return {.ns = std::string(key.substr(2 + size)), .name = std::string(key.substr(1, size))};
}

std::string endpoint_label(const IpAddress& address, std::string_view hostname,
                           std::string_view pod) {
  if (is_label(hostname)) return lower(hostname);
  if (is_label(pod)) return lower(pod);
  return dashed(address);
}

std::string dashed(const IpAddress& address) {
  std::string text = address.to_string();
  std::replace(text.begin(), text.end(), address.is_v4() ? '.' : ':', '-');
  // An IPv4 address inside of an IPv6 one is written with dots.
  std::replace(text.begin(), text.end(), '.', '-');
  if (text.back() == '-') text += '0';
  return text;
}

std::optional<IpAddress> address_of_dashed(std::string_view label) {
  std::array<char, kLongestLabel> text{};
  if (label.size() > text.size()) return std::nullopt;
  const bool is_v4 = std::count(label.begin(), label.end(), '-') == 3 &&
                     label.find("--") == std::string_view::npos;
  std::replace_copy(label.begin(), label.end(), text.begin(), '-', is_v4 ? '.' : ':');
  return IpAddress::parse({text.data(), label.size()});
}

}  // namespace weft::dns
