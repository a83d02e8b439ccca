#include "dns/name.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "dns/protocol.h"

namespace weft::dns {
namespace {

// The two bits that make a length byte a pointer (RFC 1035, section 4.1.4). One bit alone is
// reserved.
constexpr unsigned kPointerBits = 0xc0;
constexpr unsigned kPointerMask = 0x3fff;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes one byte of a label off the text, undoing its backslash; nothing when there is no byte
// after a backslash, or a number above 255.
std::optional<char> take_byte(std::string_view& text) {
  if (text[0] != '\\') {
    const char byte = text[0];
    text.remove_prefix(1);
    return byte;
  }
  text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  if (!is_digit(text[0])) {
    const char byte = text[0];
    text.remove_prefix(1);
    return byte;
  }
  if (text.size() < 3 || !is_digit(text[1]) || !is_digit(text[2])) return std::nullopt;
  const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (value > 255) return std::nullopt;
  text.remove_prefix(3);
  return static_cast<char>(value);
}

bool append_label(std::string& wire, std::string_view label) {
  if (label.empty() || label.size() > kLongestLabel) return false;
  wire += static_cast<char>(label.size());
  wire += label;
  return wire.size() < kLongestName;
}

std::string printed_label(std::string_view label) {
  std::string text;
  for (const char c : label) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (c == '.' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte > ' ' && byte < 0x7f) {
      text += c;
    } else {
      text += '\\';
      for (const unsigned unit : {100U, 10U, 1U}) text += static_cast<char>('0' + byte / unit % 10);
    }
  }
  return text;
}

constexpr std::string_view kReverseV4 = "\7in-addr\4arpa";
constexpr std::string_view kReverseV6 = "\3ip6\4arpa";
constexpr std::string_view kHexDigits = "0123456789abcdef";

// The labels of an address, the last part first: four numbers, or 32 digits.
std::vector<std::string> reverse_labels(const IpAddress& address) {
  std::vector<std::string> labels;
  const std::string_view bytes = address.bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const unsigned byte = byte_at(bytes, i);
    if (address.is_v4()) {
      labels.push_back(std::to_string(byte));
    } else {
      labels.emplace_back(1, kHexDigits[byte & 0xfU]);
      labels.emplace_back(1, kHexDigits[byte >> 4U]);
    }
  }
  return labels;
}

// The name of an address without the first `skipped` labels.
Name reverse_name(const IpAddress& address, std::size_t skipped) {
  std::string wire;
  const auto labels = reverse_labels(address);
  for (std::size_t i = skipped; i < labels.size(); ++i) append_label(wire, labels[i]);
  wire += address.is_v4() ? kReverseV4 : kReverseV6;
  wire += '\0';
  auto name = Name::from_wire(wire);
  CHECK(name);
  return *std::move(name);
}

std::optional<IpAddress> reversed_v4(std::string_view labels) {
  std::uint32_t number = 0;
  for (unsigned i = 0; i < 4; ++i) {
    if (labels.empty()) return std::nullopt;
    const std::size_t length = byte_at(labels, 0);
    if (length == 0 || length > 3 || labels.size() < 1 + length) return std::nullopt;
    const std::string_view digits = labels.substr(1, length);
    const auto value = parse_number(digits);
    if (!value || *value > 255 || (length > 1 && digits[0] == '0')) return std::nullopt;
    number |= static_cast<std::uint32_t>(*value) << (8 * i);
    labels.remove_prefix(1 + length);
  }
  return labels.empty() ? std::optional(IpAddress::v4(number)) : std::nullopt;
}

std::optional<IpAddress> reversed_v6(std::string_view labels) {
  constexpr std::size_t kDigits = 32;
  if (labels.size() != 2 * kDigits) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < kDigits; ++i) {
    const auto digit = kHexDigits.find(labels[2 * i + 1]);
    if (labels[2 * i] != 1 || digit == std::string_view::npos) return std::nullopt;
    const std::size_t place = kDigits - 1 - i;
    bytes[place / 2] |= static_cast<std::uint8_t>(digit << (place % 2 == 0 ? 4U : 0U));
  }
  return IpAddress::v6(bytes);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

bool equal_in_any_case(std::string_view one, std::string_view other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<Name> Name::parse(std::string_view text) {
  if (text == ".") return Name();
  std::string wire;
  while (!text.empty()) {
    std::string label;
    while (!text.empty() && text[0] != '.') {
      const auto byte = take_byte(text);
      if (!byte) return std::nullopt;
      label += *byte;
    }
    if (!append_label(wire, label)) return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);  // the dot, which may be the last byte
  }
  if (wire.empty()) return std::nullopt;
  wire += '\0';
  return Name(std::move(wire));
}

std::optional<Name> Name::from_wire(std::string_view bytes) {
  if (bytes.empty() || plain_name_size(bytes) != bytes.size()) return std::nullopt;
  return Name(std::string(bytes));
}

std::string Name::to_string() const {
  if (is_root()) return ".";
  std::string text;
  for (const auto label : labels()) {
    text += printed_label(label);
    text += '.';
  }
  return text;
}

std::vector<std::string_view> Name::labels() const {
  std::vector<std::string_view> result;
  std::string_view left = wire_;
  while (left.size() > 1) {
    const std::size_t length = byte_at(left, 0);
    result.push_back(left.substr(1, length));
    left.remove_prefix(1 + length);
  }
  return result;
}

Name Name::lowered() const {
  return Name(lower(wire_));
}

bool Name::contains(const Name& other) const {
  if (other.wire_.size() < wire_.size()) return false;
  const std::size_t start = other.wire_.size() - wire_.size();
  std::size_t at = 0;
  while (at < start) at += 1 + byte_at(other.wire_, at);
  return at == start && equal_in_any_case(wire_, std::string_view(other.wire_).substr(start));
}

std::optional<Name> Name::child(std::string_view label) const {
  std::string wire;
  if (!append_label(wire, label) || wire.size() + wire_.size() > kLongestName) return std::nullopt;
  return Name(wire + wire_);
}

std::optional<Name> Name::in(const Name& zone) const {
  if (wire_.size() - 1 + zone.wire_.size() > kLongestName) return std::nullopt;
  return Name(wire_.substr(0, wire_.size() - 1) + zone.wire_);
}

std::size_t plain_name_size(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && at < kLongestName) {
    const unsigned length = byte_at(bytes, at);
    if (length == 0) return at + 1;
    if (length > kLongestLabel) return 0;
    at += 1 + length;
  }
  return 0;
}

bool expand_name(std::string_view message, std::size_t at, ExpandedName& name) {
  name.size = 0;
  name.end = 0;
  std::size_t start = at;  // of the labels being read: the next pointer must lead before it
  while (at < message.size()) {
    const unsigned length = byte_at(message, at);
    if ((length & kPointerBits) == kPointerBits) {
      if (at + 1 >= message.size()) return false;
      const std::size_t target = (length << 8U | byte_at(message, at + 1)) & kPointerMask;
      if (target >= start || target < kHeaderSize) return false;
      if (name.end == 0) name.end = at + 2;
      start = at = target;
      continue;
    }
    if (length > kLongestLabel || at + 1 + length > message.size()) return false;
    if (name.size + 1 + length + (length == 0 ? 0 : 1) > kLongestName) return false;
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(at), 1 + length,
                name.bytes.begin() + static_cast<std::ptrdiff_t>(name.size));
    name.size += 1 + length;
    at += 1 + length;
    if (length != 0) continue;
    if (name.end == 0) name.end = at;
    return true;
  }
  return false;
}

Name reverse_name(const IpAddress& address) {
  return reverse_name(address, 0);
}

std::optional<IpAddress> address_of_reverse_name(std::string_view wire) {
  if (wire.empty()) return std::nullopt;
  wire.remove_suffix(1);  // the final zero
  if (wire.ends_with(kReverseV4))
    return reversed_v4(wire.substr(0, wire.size() - kReverseV4.size()));
  if (wire.ends_with(kReverseV6))
    return reversed_v6(wire.substr(0, wire.size() - kReverseV6.size()));
  return std::nullopt;
}

std::vector<Name> reverse_zones(const Prefix& network) {
  const unsigned label_bits = network.address().is_v4() ? 8 : 4;
  const unsigned labels = (network.length() + label_bits - 1) / label_bits;
  const unsigned all = address_bits(network.family()) / label_bits;
  Prefix zone(network.address(), static_cast<std::uint8_t>(labels * label_bits));
  std::vector<Name> zones;
  for (;;) {
    zones.push_back(reverse_name(zone.address(), all - labels));
    const auto next = zone.next();
    if (!next || !network.contains(*next)) return zones;
    zone = *next;
  }
}

}  // namespace weft::dns
