#include "kernel/netlink_message.h"

#include <endian.h>

#include <algorithm>
#include <cstddef>

#include "base/check.h"

namespace weft::kernel {
namespace {

constexpr std::size_t aligned(std::size_t size) {
  return (size + 3U) & ~std::size_t{3};
}

}  // namespace

Request::Request(std::uint16_t type, std::uint16_t flags) {
  const nlmsghdr header{.nlmsg_len = sizeof(nlmsghdr),
                        .nlmsg_type = type,
                        .nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST),
                        .nlmsg_seq = 0,
                        .nlmsg_pid = 0};
  buffer_.reserve(256);
  append(&header, sizeof header);
}

void Request::append(const void* data, std::size_t size) {
  buffer_.append(static_cast<const char*>(data), size);
  buffer_.append(aligned(size) - size, '\0');
  update_length();
}

void Request::update_length() {
  const auto length = static_cast<std::uint32_t>(buffer_.size());
  std::memcpy(buffer_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

Request& Request::be16(std::uint16_t attribute, std::uint16_t value) {
  return number(attribute, static_cast<std::uint16_t>(htobe16(value)));
}
Request& Request::be32(std::uint16_t attribute, std::uint32_t value) {
  return number(attribute, static_cast<std::uint32_t>(htobe32(value)));
}
Request& Request::be64(std::uint16_t attribute, std::uint64_t value) {
  return number(attribute, static_cast<std::uint64_t>(htobe64(value)));
}

Request& Request::bytes(std::uint16_t attribute, std::string_view value) {
  const std::size_t length = sizeof(nlattr) + value.size();
  CHECK(length <= 0xffff);
  const nlattr header{.nla_len = static_cast<std::uint16_t>(length), .nla_type = attribute};
  append(&header, sizeof header);
  append(value.data(), value.size());
  return *this;
}

Request& Request::raw(std::string_view attributes) {
  append(attributes.data(), attributes.size());
  return *this;
}

Request& Request::string(std::uint16_t attribute, std::string_view value) {
  std::string terminated(value);
  terminated.push_back('\0');
  return bytes(attribute, terminated);
}

Request& Request::mac(std::uint16_t attribute, const MacAddress& value) {
  return bytes(attribute, {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}

std::size_t Request::open(std::uint16_t attribute) {
  const std::size_t start = buffer_.size();
  const nlattr header{.nla_len = 0, .nla_type = attribute};
  append(&header, sizeof header);
  return start;
}

void Request::close(std::size_t start) {
  const std::size_t length = buffer_.size() - start;
  CHECK(length <= 0xffff);
  const auto short_length = static_cast<std::uint16_t>(length);
  std::memcpy(buffer_.data() + start, &short_length, sizeof short_length);
}

std::uint16_t Request::type() const {
  nlmsghdr header;
  std::memcpy(&header, buffer_.data(), sizeof header);
  return header.nlmsg_type;
}

void Request::add_flags(std::uint16_t flags) {
  nlmsghdr header;
  std::memcpy(&header, buffer_.data(), sizeof header);
  header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | flags);
  std::memcpy(buffer_.data(), &header, sizeof header);
}

void Request::set_sequence(std::uint32_t sequence) {
  std::memcpy(buffer_.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
}

bool Attributes::take(std::string_view& left, std::uint16_t& type, std::string_view& payload) {
  if (left.size() < sizeof(nlattr)) return false;
  nlattr header;
  std::memcpy(&header, left.data(), sizeof header);
  if (header.nla_len < sizeof(nlattr) || header.nla_len > left.size()) return false;
  type = header.nla_type & NLA_TYPE_MASK;
  payload = left.substr(sizeof(nlattr), header.nla_len - sizeof(nlattr));
  left.remove_prefix(std::min(aligned(header.nla_len), left.size()));
  return true;
}

std::optional<std::string_view> Attributes::find(std::uint16_t wanted) const {
  std::string_view left = bytes_;
  std::uint16_t type = 0;
  std::string_view payload;
  while (take(left, type, payload))
    if (type == wanted) return payload;
  return std::nullopt;
}

std::optional<std::uint16_t> Attributes::be16(std::uint16_t type) const {
  const auto value = u16(type);
  return value ? std::optional<std::uint16_t>(be16toh(*value)) : std::nullopt;
}
std::optional<std::uint32_t> Attributes::be32(std::uint16_t type) const {
  const auto value = u32(type);
  return value ? std::optional<std::uint32_t>(be32toh(*value)) : std::nullopt;
}
std::optional<std::uint64_t> Attributes::be64(std::uint16_t type) const {
  const auto value = u64(type);
  return value ? std::optional<std::uint64_t>(be64toh(*value)) : std::nullopt;
}

std::optional<std::string> Attributes::string(std::uint16_t type) const {
  const auto payload = find(type);
  if (!payload) return std::nullopt;
  return std::string(payload->substr(0, payload->find('\0')));
}

std::optional<IpAddress> Attributes::address(std::uint16_t type) const {
  const auto payload = find(type);
  return payload ? IpAddress::from_bytes(*payload) : std::nullopt;
}

std::optional<MacAddress> Attributes::mac(std::uint16_t type) const {
  const auto payload = find(type);
  return payload ? MacAddress::from_bytes(*payload) : std::nullopt;
}

bool take_message(std::string_view& datagram, Message& message) {
  if (datagram.size() < sizeof(nlmsghdr)) return false;
  std::memcpy(&message.header, datagram.data(), sizeof message.header);
  const std::size_t length = message.header.nlmsg_len;
  if (length < sizeof(nlmsghdr) || length > datagram.size()) return false;
  message.payload = datagram.substr(sizeof(nlmsghdr), length - sizeof(nlmsghdr));
  datagram.remove_prefix(std::min(aligned(length), datagram.size()));
  return true;
}

}  // namespace weft::kernel
