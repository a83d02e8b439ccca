// endpoint_table.h: the endpoints of one family behind a headless Service, ready to be answered.
//
// Address records lie one behind the other as they go onto the wire, in order of address; each
// endpoint has a label, by which it is found too. 40 bytes an endpoint with a label of the usual
// length. Immutable once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace weft::dns {

/// Endpoints of one slice in one string: some 20 bytes each.
class PackedEndpoints {
 public:
  /// REQUIRES a label of 1 to 63 bytes.
  void add(const IpAddress& address, std::string_view label);

  /// Calls `use(address, label)` for each in order; the label stays valid with this object.
  template <class Use>
  void for_each(Use use) const {
    for (std::string_view left = bytes_; !left.empty();) {
      const std::string_view address = take(left);
      const std::string_view label = take(left);
      use(*IpAddress::from_bytes(address), label);
    }
  }
  std::size_t count() const { return count_; }
  bool operator==(const PackedEndpoints&) const = default;

 private:
  static std::string_view take(std::string_view& left);

  std::string bytes_;
  std::size_t count_ = 0;
};

/// An endpoint on its way into a table.
struct TableEntry {
  IpAddress address = {};
  std::string_view label = {};
  std::uint16_t port_set = 0;
};

class EndpointTable {
 public:
  EndpointTable() = default;
  /// All entries must be of one family. Of those with one address the first counts.
  EndpointTable(std::vector<TableEntry> entries, std::uint32_t ttl);

  std::size_t size() const { return label_at_.size(); }
  /// An A or AAAA record whose owner is the question's name.
  std::size_t record_size() const { return record_size_; }
  std::string_view records() const { return records_; }
  std::string_view record(std::size_t index) const {
    return std::string_view(records_).substr(index * record_size_, record_size_);
  }
  /// The address in network order.
  std::string_view address(std::size_t index) const;
  /// Behind its length, as in a name.
  std::string_view label(std::size_t index) const;
  /// Which of the Service's sets of ports it has.
  std::uint16_t port_set(std::size_t index) const { return port_set_[index]; }

  std::optional<std::size_t> find(const IpAddress& address) const;

  /// Those of one label, which is given behind its length and in small letters.
  struct Range {
    const std::uint32_t* first;
    const std::uint32_t* last;
    const std::uint32_t* begin() const { return first; }
    const std::uint32_t* end() const { return last; }
    bool empty() const { return first == last; }
  };
  Range with_label(std::string_view label) const;

 private:
  std::size_t record_size_ = 0;
  std::string records_;
  std::string labels_;
  std::vector<std::uint32_t> label_at_;
  std::vector<std::uint32_t> by_label_;  // indices
  std::vector<std::uint16_t> port_set_;
};

/// The record of an address whose owner is the question's name (RFC 1035, section 3.4.1; RFC 3596).
std::string address_record(const IpAddress& address, std::uint32_t ttl);
/// How many bytes of it stand in front of the address.
inline constexpr std::size_t kAddressRecordFront = 12;

}  // namespace weft::dns
