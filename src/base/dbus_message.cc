#include "base/dbus_message.h"

#include <cstring>

namespace weft {
namespace {

constexpr std::size_t kFixedHeader = 16;
constexpr std::size_t kStruct = 8;  // alignment of header fields, and of the body
constexpr std::size_t kLargest = 1U << 20U;
constexpr char kLittleEndian = 'l';
constexpr char kVersion = 1;

enum Field : std::uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8,
};

std::size_t aligned(std::size_t size, std::size_t to) {
  return (size + to - 1) / to * to;
}

class Writer {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void number(std::uint32_t value) {
    align(sizeof value);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    bytes_.push_back('\0');
  }
  void signature(std::string_view value) {
    byte(static_cast<std::uint8_t>(value.size()));
    bytes_ += value;
    bytes_.push_back('\0');
  }
  void field(Field code, std::string_view type, std::string_view value) {
    align(kStruct);
    byte(code);
    signature(type);
    if (type == "g")
      signature(value);
    else
      text(value);
  }
  void align(std::size_t to) { bytes_.resize(aligned(bytes_.size(), to), '\0'); }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Once something does not fit, everything behind it is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool is_at_end() const { return at_ >= bytes_.size(); }
  bool failed() const { return failed_; }
  void align(std::size_t to) { at_ = aligned(at_, to); }
  std::string_view take(std::size_t size) {
    if (failed_ || at_ > bytes_.size() || bytes_.size() - at_ < size) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::uint8_t byte() {
    const auto taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  std::uint32_t number() {
    align(sizeof(std::uint32_t));
    const auto taken = take(sizeof(std::uint32_t));
    std::uint32_t value = 0;
    if (!failed_) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }
  std::string text() {
    const std::uint32_t size = number();
    return with_nul(size);
  }
  std::string signature() { return with_nul(byte()); }

 private:
  std::string with_nul(std::size_t size) {
    const std::string_view taken = take(size);
    take(1);
    return std::string(taken);
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// The header's fields from `bytes`; false when one cannot be read. Values of other types than
// those of the fields that are known do not occur in a message header.
bool read_fields(std::string_view bytes, DbusMessage& message, std::string& signature) {
  Reader reader(bytes);
  while (!reader.is_at_end()) {
    reader.align(kStruct);
    if (reader.is_at_end()) break;
    const std::uint8_t code = reader.byte();
    const std::string type = reader.signature();
    if (type == "u") {
      const std::uint32_t value = reader.number();
      if (code == kReplySerial) message.reply_serial = value;
    } else if (type == "s" || type == "o") {
      std::string value = reader.text();
      if (code == kErrorName) message.error_name = std::move(value);
    } else if (type == "g") {
      std::string value = reader.signature();
      if (code == kSignature) signature = std::move(value);
    } else {
      return false;
    }
    if (reader.failed()) return false;
  }
  return true;
}

}  // namespace

std::string encode_dbus_call(const DbusCall& call, std::uint32_t serial) {
  Writer body;
  for (const auto& argument : call.arguments) body.text(argument);
  Writer fields;
  fields.field(kPath, "o", call.path);
  fields.field(kInterface, "s", call.interface);
  fields.field(kMember, "s", call.member);
  fields.field(kDestination, "s", call.destination);
  if (!call.arguments.empty())
    fields.field(kSignature, "g", std::string(call.arguments.size(), 's'));
  Writer message;
  message.byte(kLittleEndian);
  message.byte(static_cast<std::uint8_t>(DbusMessage::Type::kCall));
  message.byte(0);  // no flags: an answer is wanted
  message.byte(kVersion);
  message.number(static_cast<std::uint32_t>(body.bytes().size()));
  message.number(serial);
  message.number(static_cast<std::uint32_t>(fields.bytes().size()));
  message.bytes() += fields.bytes();
  message.align(kStruct);
  return message.bytes() + body.bytes();
}

std::optional<std::size_t> dbus_message_size(std::string_view start) {
  if (start.size() < kFixedHeader) return std::nullopt;
  Reader reader(start);
  const auto order = reader.take(4);
  const std::size_t body = reader.number();
  reader.number();
  const std::size_t fields = reader.number();
  if (order[0] != kLittleEndian || order[3] != kVersion || body > kLargest || fields > kLargest)
    return 0;
  return aligned(kFixedHeader + fields, kStruct) + body;
}

std::optional<DbusMessage> decode_dbus_message(std::string_view bytes) {
  const auto size = dbus_message_size(bytes);
  if (!size || *size == 0 || *size != bytes.size()) return std::nullopt;
  Reader header(bytes.substr(4));
  const std::size_t body = header.number();
  header.number();
  const std::size_t fields = header.number();
  DbusMessage message{.type = static_cast<DbusMessage::Type>(bytes[1])};
  std::string signature;
  if (!read_fields(bytes.substr(kFixedHeader, fields), message, signature)) return std::nullopt;
  Reader values(bytes.substr(bytes.size() - body));
  if (signature.starts_with("s")) message.text = values.text();
  if (signature.starts_with("b")) message.truth = values.number() != 0;
  if (values.failed()) return std::nullopt;
  return message;
}

}  // namespace weft
