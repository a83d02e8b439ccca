#include "cni/plugins/dhcp_packet.h"

#include <algorithm>
#include <bit>

namespace weft::cni {
namespace {

// Where the fields are (RFC 2131, figure 1).
constexpr std::size_t kFlagsAt = 10;
constexpr std::size_t kClientAt = 12;
constexpr std::size_t kYoursAt = 16;
constexpr std::size_t kMacAt = 28;
constexpr std::size_t kServerNameAt = 44;
constexpr std::size_t kFileAt = 108;
constexpr std::size_t kCookieAt = 236;
constexpr std::size_t kOptionsAt = 240;
constexpr std::size_t kShortest = 300;
constexpr std::string_view kCookie = "\x63\x82\x53\x63";
constexpr unsigned char kEthernet = 1;
constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint16_t kServerPort = 67;
constexpr std::uint16_t kClientPort = 68;
constexpr unsigned char kUdp = 17;
constexpr std::uint32_t kUsualLease = 3600;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint16_t word_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}
std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  return std::uint32_t{word_at(bytes, at)} << 16U | word_at(bytes, at + 2);
}
IpAddress address_at(std::string_view bytes, std::size_t at) {
  return IpAddress::v4(number_at(bytes, at));
}

std::string as_word(std::uint32_t value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}

void put(std::string& target, std::size_t at, std::string_view bytes) {
  std::copy(bytes.begin(), bytes.end(), target.begin() + static_cast<std::ptrdiff_t>(at));
}

// Sum of 16 bit words in one's complement (RFC 1071), not yet inverted.
std::uint32_t sum_of(std::string_view bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += word_at(bytes, i);
  if (bytes.size() % 2 != 0) sum += byte_at(bytes, bytes.size() - 1) << 8U;
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return sum;
}

std::uint32_t udp_sum(std::string_view ip_header, std::string_view udp) {
  const std::string pseudo = std::string(ip_header.substr(12, 8)) + '\0' + static_cast<char>(kUdp) +
                             as_word(static_cast<std::uint32_t>(udp.size()));
  return sum_of(udp, sum_of(pseudo));
}

// Values of an option that comes several times belong together (RFC 3396).
Status read_options(std::string_view area, DhcpOptions& options) {
  while (!area.empty()) {
    const auto code = static_cast<DhcpOption>(byte_at(area, 0));
    if (code == DhcpOption::kEnd) return {};
    if (code == DhcpOption::kPad) {
      area.remove_prefix(1);
      continue;
    }
    if (area.size() < 2 || area.size() < 2 + byte_at(area, 1))
      return fail("an option is cut short");
    options[code] += area.substr(2, byte_at(area, 1));
    area.remove_prefix(2 + byte_at(area, 1));
  }
  return {};
}

// Option 52: the fields for a file's and the server's name hold options too.
Status read_overloaded(std::string_view bytes, DhcpOptions& options) {
  const auto found = options.find(DhcpOption::kOverload);
  if (found == options.end() || found->second.size() != 1) return {};
  const char where = found->second[0];
  if (where == 1 || where == 3)
    RETURN_IF_ERROR(read_options(bytes.substr(kFileAt, kCookieAt - kFileAt), options));
  if (where == 2 || where == 3)
    RETURN_IF_ERROR(read_options(bytes.substr(kServerNameAt, kFileAt - kServerNameAt), options));
  return {};
}

// RFC 3442: the length of the destination, as many of its bytes as that needs, the router.
std::vector<ResultRoute> classless_routes(std::string_view bytes) {
  std::vector<ResultRoute> routes;
  while (!bytes.empty()) {
    const unsigned length = byte_at(bytes, 0);
    const std::size_t significant = (length + 7U) / 8U;
    if (length > 32 || bytes.size() < 1 + significant + 4) break;
    std::string destination(bytes.substr(1, significant));
    destination.resize(4);
    ResultRoute route{
        .destination = {address_at(destination, 0), static_cast<std::uint8_t>(length)}};
    const IpAddress router = address_at(bytes, 1 + significant);
    constexpr std::uint32_t kLinkScope = 253;
    if (router.is_unspecified())
      route.scope = kLinkScope;
    else
      route.gateway = router;
    routes.push_back(route);
    bytes.remove_prefix(1 + significant + 4);
  }
  return routes;
}

std::uint8_t class_length(const IpAddress& address) {
  const std::uint32_t first = address.v4_number() >> 24U;
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

std::vector<ResultRoute> classful_routes(std::string_view bytes) {
  std::vector<ResultRoute> routes;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const IpAddress destination = address_at(bytes, 0);
    routes.push_back(
        {.destination = {destination, class_length(destination)}, .gateway = address_at(bytes, 4)});
  }
  return routes;
}

std::string_view option_of(const DhcpPacket& packet, DhcpOption option) {
  const auto found = packet.options.find(option);
  return found == packet.options.end() ? std::string_view() : found->second;
}

}  // namespace

std::string as_option(std::uint32_t number) {
  return as_word(number >> 16U) + as_word(number);
}

std::optional<DhcpType> DhcpPacket::type() const {
  const auto value = option_of(*this, DhcpOption::kMessageType);
  if (value.size() != 1 || byte_at(value, 0) < 1 || byte_at(value, 0) > 8) return std::nullopt;
  return static_cast<DhcpType>(byte_at(value, 0));
}

std::optional<std::uint32_t> DhcpPacket::number(DhcpOption option) const {
  const auto value = option_of(*this, option);
  if (value.size() != 4) return std::nullopt;
  return number_at(value, 0);
}

std::optional<IpAddress> DhcpPacket::address(DhcpOption option) const {
  const auto value = option_of(*this, option);
  if (value.size() < 4) return std::nullopt;
  return address_at(value, 0);
}

std::string encode(const DhcpPacket& packet) {
  std::string bytes(kOptionsAt, '\0');
  bytes[0] = packet.is_reply ? 2 : 1;
  bytes[1] = kEthernet;
  bytes[2] = static_cast<char>(packet.mac.bytes.size());
  put(bytes, 4, as_option(packet.transaction));
  put(bytes, 8, as_word(packet.seconds));
  if (packet.broadcast) bytes[kFlagsAt] = static_cast<char>(0x80);
  put(bytes, kClientAt, packet.client.bytes());
  put(bytes, kYoursAt, packet.yours.bytes());
  std::copy(packet.mac.bytes.begin(), packet.mac.bytes.end(), bytes.begin() + kMacAt);
  put(bytes, kCookieAt, kCookie);
  constexpr std::size_t kLongestPart = 255;
  for (const auto& [code, value] : packet.options) {
    std::string_view rest = value;
    do {
      const auto part = rest.substr(0, kLongestPart);
      bytes += static_cast<char>(code);
      bytes += static_cast<char>(part.size());
      bytes += part;
      rest.remove_prefix(part.size());
    } while (!rest.empty());
  }
  bytes += static_cast<char>(DhcpOption::kEnd);
  if (bytes.size() < kShortest) bytes.resize(kShortest);
  return bytes;
}

Result<DhcpPacket> decode_dhcp(std::string_view bytes) {
  if (bytes.size() < kOptionsAt || bytes.substr(kCookieAt, kCookie.size()) != kCookie)
    return fail("this is no DHCP message");
  DhcpPacket packet{.is_reply = bytes[0] == 2,
                    .transaction = number_at(bytes, 4),
                    .seconds = word_at(bytes, 8),
                    .broadcast = (byte_at(bytes, kFlagsAt) & 0x80U) != 0,
                    .client = address_at(bytes, kClientAt),
                    .yours = address_at(bytes, kYoursAt)};
  if (byte_at(bytes, 1) != kEthernet || byte_at(bytes, 2) != packet.mac.bytes.size())
    return fail("a DHCP message that is not for Ethernet");
  for (std::size_t i = 0; i < packet.mac.bytes.size(); ++i)
    packet.mac.bytes[i] = static_cast<std::uint8_t>(byte_at(bytes, kMacAt + i));
  RETURN_IF_ERROR(read_options(bytes.substr(kOptionsAt), packet.options));
  RETURN_IF_ERROR(read_overloaded(bytes, packet.options));
  return packet;
}

std::string enclose(std::string_view message, const DhcpEndpoints& ends) {
  const auto udp_size = static_cast<std::uint32_t>(kUdpHeader + message.size());
  std::string header(kIpHeader, '\0');
  constexpr char kVersionAndLength = 0x45;
  constexpr char kHops = 64;
  header[0] = kVersionAndLength;
  put(header, 2, as_word(static_cast<std::uint32_t>(kIpHeader) + udp_size));
  header[8] = kHops;
  header[9] = static_cast<char>(kUdp);
  put(header, 12, ends.from.bytes());
  put(header, 16, ends.to.bytes());
  put(header, 10, as_word(~sum_of(header)));
  std::string udp = as_word(kClientPort) + as_word(kServerPort) + as_word(udp_size) +
                    std::string(2, '\0') + std::string(message);
  const std::uint32_t sum = ~udp_sum(header, udp) & 0xffffU;
  put(udp, 6, as_word(sum == 0 ? 0xffffU : sum));
  return header + udp;
}

std::optional<std::string_view> disclose(std::string_view packet, bool checksum_is_open) {
  if (packet.size() < kIpHeader || byte_at(packet, 0) >> 4U != 4) return std::nullopt;
  const std::size_t header = std::size_t{byte_at(packet, 0) & 0xfU} * 4U;
  const std::size_t total = word_at(packet, 2);
  constexpr unsigned kFragment = 0x3fff;
  if (header < kIpHeader || total > packet.size() || total < header + kUdpHeader ||
      byte_at(packet, 9) != kUdp || (word_at(packet, 6) & kFragment) != 0 ||
      sum_of(packet.substr(0, header)) != 0xffff)
    return std::nullopt;
  const std::string_view rest = packet.substr(header, total - header);
  const std::size_t size = word_at(rest, 4);
  if (word_at(rest, 2) != kClientPort || size < kUdpHeader || size > rest.size())
    return std::nullopt;
  const std::string_view udp = rest.substr(0, size);
  if (!checksum_is_open && word_at(udp, 6) != 0 && udp_sum(packet, udp) != 0xffff)
    return std::nullopt;
  return udp.substr(kUdpHeader);
}

Result<DhcpLease> lease_of(const DhcpPacket& ack) {
  const auto mask = ack.number(DhcpOption::kSubnetMask);
  if (!mask) return fail("DHCP option Subnet Mask not found in DHCPACK");
  const int length = std::countl_one(*mask);
  if (length + std::countr_zero(*mask) < 32)
    return fail("the subnet mask of the DHCPACK has holes");
  if (ack.yours.is_unspecified()) return fail("the DHCPACK holds no address");
  DhcpLease lease{.address = {.address = ack.yours, .length = static_cast<std::uint8_t>(length)},
                  .gateway = ack.address(DhcpOption::kRouter),
                  .routes = classless_routes(option_of(ack, DhcpOption::kClasslessRoutes)),
                  .server = ack.address(DhcpOption::kServer).value_or(IpAddress()),
                  .seconds = ack.number(DhcpOption::kLeaseTime).value_or(kUsualLease)};
  if (lease.routes.empty()) {
    lease.routes = classful_routes(option_of(ack, DhcpOption::kStaticRoutes));
    if (lease.gateway) lease.routes.push_back({.destination = Prefix(), .gateway = lease.gateway});
  }
  lease.rebind_after =
      std::min(ack.number(DhcpOption::kRebindingTime).value_or(lease.seconds - lease.seconds / 8),
               lease.seconds);
  lease.renew_after = std::min(ack.number(DhcpOption::kRenewalTime).value_or(lease.seconds / 2),
                               lease.rebind_after);
  return lease;
}

}  // namespace weft::cni
