// dhcp_packet.h: DHCPv4 messages, and the UDP and IPv4 around them. Pure.
//
// Source: RFC 2131 (section 2), RFC 2132, RFC 3396 (long options), RFC 3442 (option 121).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cni/result.h"
#include "net/address.h"

namespace weft::cni {

enum class DhcpType : std::uint8_t {
  kDiscover = 1,
  kOffer = 2,
  kRequest = 3,
  kDecline = 4,
  kAck = 5,
  kNak = 6,
  kRelease = 7,
  kInform = 8,
};

enum class DhcpOption : std::uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouter = 3,
  kHostName = 12,
  kStaticRoutes = 33,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kOverload = 52,
  kMessageType = 53,
  kServer = 54,
  kParameters = 55,
  kMessage = 56,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kVendorClass = 60,
  kClient = 61,
  kUserClass = 77,
  kClasslessRoutes = 121,
  kEnd = 255,
};

using DhcpOptions = std::map<DhcpOption, std::string>;

struct DhcpPacket {
  bool is_reply = false;
  std::uint32_t transaction = 0;
  std::uint16_t seconds = 0;  ///< since the client began
  bool broadcast = false;     ///< the client cannot take a unicast answer yet
  IpAddress client = {};      ///< ciaddr: the address that the client has
  IpAddress yours = {};       ///< yiaddr: the address that it may have
  MacAddress mac = {};
  DhcpOptions options = {};
  bool operator==(const DhcpPacket&) const = default;

  std::optional<DhcpType> type() const;
  /// An option of four bytes.
  std::optional<std::uint32_t> number(DhcpOption option) const;
  /// The first address of an option.
  std::optional<IpAddress> address(DhcpOption option) const;
};

/// The message, filled up to the 300 bytes that old relays want.
std::string encode(const DhcpPacket& packet);
/// Refuses what is no DHCP message over Ethernet.
Result<DhcpPacket> decode_dhcp(std::string_view bytes);

/// The bytes of an option that holds one number or address.
std::string as_option(std::uint32_t number);

struct DhcpEndpoints {
  IpAddress from = {};
  IpAddress to = {};
};
/// An IPv4 packet with the message, from a client's port to a server's.
std::string enclose(std::string_view message, const DhcpEndpoints& ends);
/// The message in an IPv4 packet for a client's port. Nothing for other packets, fragments and
/// broken headers; a UDP checksum that is there must be right, unless the sending device was
/// to fill it in (`checksum_is_open`).
std::optional<std::string_view> disclose(std::string_view packet, bool checksum_is_open);

/// What a server has granted.
struct DhcpLease {
  InterfaceAddress address = {};
  std::optional<IpAddress> gateway = {};
  std::vector<ResultRoute> routes = {};
  IpAddress server = {};
  std::uint32_t seconds = 0;  ///< T1 < T2 < this
  std::uint32_t renew_after = 0;
  std::uint32_t rebind_after = 0;
  bool operator==(const DhcpLease&) const = default;
};
/// Fails without an address or a subnet mask. Routes are those of option 121, or else of option 33
/// and a default route by the router (RFC 3442).
Result<DhcpLease> lease_of(const DhcpPacket& ack);

}  // namespace weft::cni
