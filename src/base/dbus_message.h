// dbus_message.h: D-Bus messages to and from bytes: method calls with texts for arguments, and
// what comes back. Pure; decoding takes any bytes.
//
// Source: D-Bus Specification 0.43, "Message Protocol". Little-endian only: a bus hands on what
// it was given, but it answers, and a service on the same machine does, in the machine's order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct DbusCall {
  std::string destination = {};
  std::string path = {};
  std::string interface = {};
  std::string member = {};
  std::vector<std::string> arguments = {};
};

/// An answer, or anything else that a bus sends.
struct DbusMessage {
  enum class Type : std::uint8_t { kCall = 1, kReturn = 2, kError = 3, kSignal = 4 };
  Type type = Type::kSignal;
  std::uint32_t reply_serial = 0;  ///< of which call; 0 in other messages
  std::string error_name = {};
  std::string text = {};  ///< the first value of the body, when it is a text
  bool truth = false;     ///< likewise, when it is a boolean
  bool operator==(const DbusMessage&) const = default;
};

std::string encode_dbus_call(const DbusCall& call, std::uint32_t serial);

/// How long a message is that begins like this; nothing before its first 16 bytes are there, 0
/// when they begin no message of a sensible size.
std::optional<std::size_t> dbus_message_size(std::string_view start);
/// Nothing when the bytes are not one whole message.
std::optional<DbusMessage> decode_dbus_message(std::string_view bytes);

}  // namespace weft
