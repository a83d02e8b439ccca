#include "dns/endpoint_table.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"
#include "dns/bytes.h"
#include "dns/name.h"
#include "dns/protocol.h"

namespace weft::dns {

void PackedEndpoints::add(const IpAddress& address, std::string_view label) {
  CHECK(!label.empty() && label.size() <= kLongestLabel);
  bytes_ += static_cast<char>(address.bytes().size());
  bytes_ += address.bytes();
  bytes_ += static_cast<char>(label.size());
  bytes_ += label;
  ++count_;
}

std::string_view PackedEndpoints::take(std::string_view& left) {
  const std::size_t size = byte_at(left, 0);
  const std::string_view part = left.substr(1, size);
  left.remove_prefix(1 + size);
  return part;
}

std::string address_record(const IpAddress& address, std::uint32_t ttl) {
  std::array<char, kAddressRecordFront> front{};
  const auto type = address.is_v4() ? RecordType::kA : RecordType::kAaaa;
  put_word(front.data(), kQuestionPointer);
  put_word(front.data() + 2, static_cast<std::uint16_t>(type));
  put_word(front.data() + 4, static_cast<std::uint16_t>(RecordClass::kIn));
  put_number(front.data() + 6, ttl);
  put_word(front.data() + 10, static_cast<std::uint16_t>(address.bytes().size()));
  return std::string(front.data(), front.size()).append(address.bytes());
}

EndpointTable::EndpointTable(std::vector<TableEntry> entries, std::uint32_t ttl) {
  const auto by_address = [](const TableEntry& one, const TableEntry& other) {
    return one.address < other.address;
  };
  const auto same_address = [](const TableEntry& one, const TableEntry& other) {
    return one.address == other.address;
  };
  std::stable_sort(entries.begin(), entries.end(), by_address);
  entries.erase(std::unique(entries.begin(), entries.end(), same_address), entries.end());
  if (entries.empty()) return;

  record_size_ = kAddressRecordFront + entries.front().address.bytes().size();
  std::size_t label_bytes = 0;
  for (const auto& entry : entries) label_bytes += 1 + entry.label.size();
  records_.reserve(entries.size() * record_size_);
  labels_.reserve(label_bytes);
  label_at_.reserve(entries.size());
  port_set_.reserve(entries.size());
  for (const auto& entry : entries) {
    records_ += address_record(entry.address, ttl);
    label_at_.push_back(static_cast<std::uint32_t>(labels_.size()));
    labels_ += static_cast<char>(entry.label.size());
    labels_ += entry.label;
    port_set_.push_back(entry.port_set);
  }
  by_label_.resize(entries.size());
  std::iota(by_label_.begin(), by_label_.end(), 0U);
  std::stable_sort(by_label_.begin(), by_label_.end(), [&](std::uint32_t one, std::uint32_t other) {
    return label(one) < label(other);
  });
}

std::string_view EndpointTable::address(std::size_t index) const {
  return record(index).substr(kAddressRecordFront);
}

std::string_view EndpointTable::label(std::size_t index) const {
  const std::size_t at = label_at_[index];
  return std::string_view(labels_).substr(at, 1U + byte_at(labels_, at));
}

std::optional<std::size_t> EndpointTable::find(const IpAddress& wanted) const {
  const std::string_view bytes = wanted.bytes();
  if (size() == 0 || record_size_ != kAddressRecordFront + bytes.size()) return std::nullopt;
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (address(middle) < bytes)
      low = middle + 1;
    else
      high = middle;
  }
  return low < size() && address(low) == bytes ? std::optional(low) : std::nullopt;
}

EndpointTable::Range EndpointTable::with_label(std::string_view wanted) const {
  const std::uint32_t* first = std::lower_bound(
      by_label_.data(), by_label_.data() + by_label_.size(), wanted,
      [&](std::uint32_t index, std::string_view text) { return label(index) < text; });
  const std::uint32_t* last = first;
  while (last != by_label_.data() + by_label_.size() && label(*last) == wanted) ++last;
  return {first, last};
}

}  // namespace weft::dns
