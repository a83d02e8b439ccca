// netlink_message.h: netlink messages and attributes, written and read (linux/netlink.h).
//
// Writing cannot fail. Reading trusts no length: a message or attribute that claims more bytes
// than are there ends the reading, and a number of the wrong size is as good as absent.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "net/address.h"

namespace weft::kernel {

/// Builds one request: the netlink header, a family's header, then attributes.
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags);

  /// Appends the family's fixed header (ifinfomsg, rtmsg, nfgenmsg, ...). Comes first.
  template <class Header>
  Request& header(const Header& value) {
    static_assert(std::is_trivially_copyable_v<Header>);
    append(&value, sizeof value);
    return *this;
  }

  Request& u8(std::uint16_t attribute, std::uint8_t value) { return number(attribute, value); }
  Request& u16(std::uint16_t attribute, std::uint16_t value) { return number(attribute, value); }
  Request& u32(std::uint16_t attribute, std::uint32_t value) { return number(attribute, value); }
  Request& s32(std::uint16_t attribute, std::int32_t value) { return number(attribute, value); }
  Request& u64(std::uint16_t attribute, std::uint64_t value) { return number(attribute, value); }
  /// Network byte order, as nftables and some ports want it.
  Request& be16(std::uint16_t attribute, std::uint16_t value);
  Request& be32(std::uint16_t attribute, std::uint32_t value);
  Request& be64(std::uint16_t attribute, std::uint64_t value);
  Request& bytes(std::uint16_t attribute, std::string_view value);
  /// Finished attributes, as another Request's message holds them behind its header.
  Request& raw(std::string_view attributes);
  /// With its terminating NUL.
  Request& string(std::uint16_t attribute, std::string_view value);
  Request& flag(std::uint16_t attribute) { return bytes(attribute, {}); }
  Request& address(std::uint16_t attribute, const IpAddress& value) {
    return bytes(attribute, value.bytes());
  }
  Request& mac(std::uint16_t attribute, const MacAddress& value);

  /// Everything that `fill` appends becomes the inside of one attribute.
  template <class Fill>
  Request& nest(std::uint16_t attribute, Fill&& fill) {
    return nest_as(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), fill);
  }
  /// Without NLA_F_NESTED, for families older than the flag (rtnetlink's link info).
  template <class Fill>
  Request& plain_nest(std::uint16_t attribute, Fill&& fill) {
    return nest_as(attribute, fill);
  }

  std::uint16_t type() const;
  void add_flags(std::uint16_t flags);
  void set_sequence(std::uint32_t sequence);
  /// The finished message, padded.
  std::string_view message() const { return buffer_; }

 private:
  template <class Number>
  Request& number(std::uint16_t attribute, Number value) {
    return bytes(attribute, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  template <class Fill>
  Request& nest_as(std::uint16_t attribute, Fill&& fill) {
    const std::size_t start = open(attribute);
    fill(*this);
    close(start);
    return *this;
  }
  void append(const void* data, std::size_t size);
  std::size_t open(std::uint16_t attribute);
  void close(std::size_t start);
  void update_length();

  std::string buffer_;
};

/// The attributes inside a message or inside another attribute: looked up where they lie, so
/// the bytes must outlive it.
class Attributes {
 public:
  Attributes() = default;
  explicit Attributes(std::string_view bytes) : bytes_(bytes) {}

  /// The payload of the first attribute of that type, NLA_F_NESTED and byte order bits aside.
  std::optional<std::string_view> find(std::uint16_t type) const;
  bool has(std::uint16_t type) const { return find(type).has_value(); }

  std::optional<std::uint8_t> u8(std::uint16_t type) const { return number<std::uint8_t>(type); }
  std::optional<std::uint16_t> u16(std::uint16_t type) const { return number<std::uint16_t>(type); }
  std::optional<std::uint32_t> u32(std::uint16_t type) const { return number<std::uint32_t>(type); }
  std::optional<std::int32_t> s32(std::uint16_t type) const { return number<std::int32_t>(type); }
  std::optional<std::uint64_t> u64(std::uint16_t type) const { return number<std::uint64_t>(type); }
  std::optional<std::uint16_t> be16(std::uint16_t type) const;
  std::optional<std::uint32_t> be32(std::uint16_t type) const;
  std::optional<std::uint64_t> be64(std::uint16_t type) const;
  /// Up to the first NUL.
  std::optional<std::string> string(std::uint16_t type) const;
  std::optional<IpAddress> address(std::uint16_t type) const;
  std::optional<MacAddress> mac(std::uint16_t type) const;
  /// The attributes inside one; empty when it is absent.
  Attributes nested(std::uint16_t type) const { return Attributes(find(type).value_or("")); }

  /// Calls `each(type, payload)` for every attribute in order.
  template <class Each>
  void for_each(Each&& each) const {
    std::string_view left = bytes_;
    std::uint16_t type = 0;
    std::string_view payload;
    while (take(left, type, payload)) each(type, payload);
  }

 private:
  /// Splits the first attribute off; false at the end and at the first that does not fit.
  static bool take(std::string_view& left, std::uint16_t& type, std::string_view& payload);

  template <class Number>
  std::optional<Number> number(std::uint16_t type) const {
    const auto payload = find(type);
    if (!payload || payload->size() != sizeof(Number)) return std::nullopt;
    Number value;
    std::memcpy(&value, payload->data(), sizeof value);
    return value;
  }

  std::string_view bytes_;
};

/// One received message, where it lies in the receive buffer.
struct Message {
  nlmsghdr header{};
  std::string_view payload;

  /// The family's fixed header and the attributes behind it; nothing when the message is too
  /// short to hold the header.
  template <class Header>
  std::optional<std::pair<Header, Attributes>> open() const {
    if (payload.size() < NLMSG_ALIGN(sizeof(Header))) return std::nullopt;
    Header header_value;
    std::memcpy(&header_value, payload.data(), sizeof header_value);
    return std::pair(header_value, Attributes(payload.substr(NLMSG_ALIGN(sizeof(Header)))));
  }
};

/// Splits the first message off a datagram; false at the end or when it does not fit.
bool take_message(std::string_view& datagram, Message& message);

}  // namespace weft::kernel
