#include "base/protobuf.h"

#include <limits>

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/varint.hpp>

#include "base/text.h"

namespace weft {
namespace {

using Wire = protozero::pbf_wire_type;

// Two varints of full length.
constexpr std::size_t kLongestPrefix = std::size_t{2} * protozero::max_varint_length;

// protozero throws where bytes are no message: the one place that knows of it.
template <class Read>
auto guarded(Read read) -> Result<decltype(read())> {
  try {
    return read();
  } catch (const protozero::exception& error) {
    return fail("no protobuf message: " + std::string(error.what()));
  }
}

// A varint ends with its first byte whose highest bit is clear.
bool holds_two_varints(std::string_view bytes) {
  int ends = 0;
  for (const char c : bytes.substr(0, kLongestPrefix))
    if ((static_cast<unsigned char>(c) & 0x80U) == 0 && ++ends == 2) return true;
  return false;
}

}  // namespace

std::string ProtobufField::text() const {
  return is_utf8(bytes) ? std::string(bytes) : std::string();
}

Result<ProtobufField> take_protobuf_field(std::string_view& message) {
  return guarded([&] {
    protozero::pbf_reader reader(message.data(), message.size());
    ProtobufField field;
    reader.next();
    field.number = reader.tag();
    if (reader.has_wire_type(Wire::length_delimited)) {
      const auto value = reader.get_view();
      field.bytes = {value.data(), value.size()};
    } else if (reader.has_wire_type(Wire::varint)) {
      field.integer = reader.get_int64();
    } else {
      reader.skip();
    }
    message.remove_prefix(message.size() - reader.length());
    return field;
  });
}

Result<std::optional<ProtobufPrefix>> read_protobuf_prefix(std::string_view bytes) {
  if (!holds_two_varints(bytes) && bytes.size() < kLongestPrefix) return std::nullopt;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint64_t tag = 0;
  ProtobufPrefix prefix;
  const auto read = guarded([&] {
    tag = protozero::decode_varint(&at, end);
    prefix.length = protozero::decode_varint(&at, end);
    return true;
  });
  if (!read) return Failure(read.error());
  if (tag > std::numeric_limits<std::uint32_t>::max() ||
      (tag & 7U) != static_cast<unsigned>(Wire::length_delimited))
    return fail("no protobuf message: a field of another type than expected");
  prefix.number = static_cast<std::uint32_t>(tag >> 3U);
  prefix.size = static_cast<std::size_t>(at - bytes.data());
  return prefix;
}

}  // namespace weft
