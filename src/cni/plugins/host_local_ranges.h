// host_local_ranges.h: which addresses host-local may give out, and in which order. Pure.
//
// Source: containernetworking/plugins, plugins/ipam/host-local/backend/allocator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cni/cni_error.h"
#include "net/address.h"

namespace weft::cni {

/// Part of a subnet. start and end are inside the subnet and can be given out; the gateway
/// cannot.
struct AddressRange {
  Prefix subnet = {};
  IpAddress start = {};
  IpAddress end = {};
  IpAddress gateway = {};

  bool contains(const IpAddress& address) const { return start <= address && address <= end; }
  bool overlaps(const AddressRange& other) const;
  /// "10.1.2.1-10.1.2.254"
  std::string to_string() const;
  bool operator==(const AddressRange&) const = default;
};

/// Alternatives: one address is given out of each set. Never empty, one family, no overlaps.
using RangeSet = std::vector<AddressRange>;

std::string to_string(const RangeSet& set);
/// The range of the set that holds an address; nullptr when none does.
const AddressRange* range_of(const RangeSet& set, const IpAddress& address);
bool overlap(const RangeSet& a, const RangeSet& b);

/// One object with "subnet" and optionally "rangeStart", "rangeEnd" and "gateway". Refuses a
/// subnet with host bits, one of fewer than four addresses, and ends outside of it.
CniResult<AddressRange> read_range(const Json& json);
/// A list of such objects.
CniResult<RangeSet> read_range_set(const Json& list);

/// Walks over a set: from the address behind the one given out last, over all ranges, once
/// round. A container that starts over and over so gets another address each time.
class RoundRobin {
 public:
  /// `set` must outlive it.
  RoundRobin(const RangeSet& set, std::optional<IpAddress> last);

  struct Candidate {
    IpAddress address;
    const AddressRange* range;
  };
  /// The next address that is no gateway; nothing after the last one.
  std::optional<Candidate> next();

 private:
  void advance();

  const RangeSet& set_;
  std::size_t range_ = 0;
  IpAddress current_;
  std::optional<IpAddress> first_;
  bool at_start_ = true;  // current_ has not been offered yet
};

}  // namespace weft::cni
