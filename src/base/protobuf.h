// protobuf.h: a protobuf message read from front to back, without making an object of it.
//
// For messages of which little is wanted: of the 11 KB of a Node some 300 bytes. A field that its
// reader does not know is passed over; one of another type than expected reads as empty or 0, as
// if it were absent. protozero does the reading, and its exceptions end here.
//
// Source: protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

/// One field of a message.
struct ProtobufField {
  std::uint32_t number = 0;
  std::string_view bytes = {};  ///< of a string, bytes or a message: a part of the message
  std::int64_t integer = 0;     ///< of an integer that is a varint

  /// The bytes as a string; empty where they are no UTF-8.
  std::string text() const;
};

/// Takes the first field away from `message`, which REQUIRES that there is one. An Error where the
/// bytes are no field or half of one.
Result<ProtobufField> take_protobuf_field(std::string_view& message);

/// Calls `use(field)` for each field of a message. Its Error ends the reading, and so does a
/// message that is none; what was read before is then not to be used.
template <class Use>
Status read_protobuf(std::string_view message, Use use) {
  while (!message.empty()) {
    ASSIGN_OR_RETURN(const ProtobufField field, take_protobuf_field(message));
    RETURN_IF_ERROR(use(field));
  }
  return {};
}

/// What stands in front of a string, bytes or a message, for a message that comes in pieces.
struct ProtobufPrefix {
  std::uint32_t number = 0;
  std::uint64_t length = 0;  ///< of the value behind it, as the sender says
  std::size_t size = 0;      ///< of the prefix itself
};

/// Reads the prefix at the front of `bytes`; nothing when more of them are needed. An Error where
/// it is none, or that of a field of another type.
Result<std::optional<ProtobufPrefix>> read_protobuf_prefix(std::string_view bytes);

}  // namespace weft
