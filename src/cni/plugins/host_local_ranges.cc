#include "cni/plugins/host_local_ranges.h"

#include "cni/json_reading.h"

namespace weft::cni {
namespace {

IpAddress last_usable(const Prefix& subnet) {
  const IpAddress last = subnet.last();
  return last.is_v4() ? IpAddress::v4(last.v4_number() - 1) : last;
}

CniStatus check_subnet(const InterfaceAddress& subnet) {
  if (subnet.length > address_bits(subnet.address.family()) - 2)
    return refuse("Network " + subnet.to_string() + " too small to allocate from");
  if (subnet.address != subnet.network().address())
    return refuse("Network has host bits set. For a subnet mask of length " +
                  std::to_string(subnet.length) + " the network address is " +
                  subnet.network().address().to_string());
  return {};
}

CniStatus check_end(const char* name, const std::optional<IpAddress>& end, const Prefix& subnet) {
  if (!end || subnet.contains(*end)) return {};
  return refuse(std::string(name) + " " + end->to_string() + " not in network " +
                subnet.to_string());
}

}  // namespace

bool AddressRange::overlaps(const AddressRange& other) const {
  if (start.family() != other.start.family()) return false;
  return start <= other.end && other.start <= end;
}

std::string AddressRange::to_string() const {
  return start.to_string() + "-" + end.to_string();
}

std::string to_string(const RangeSet& set) {
  std::string text;
  for (const auto& range : set) text += (text.empty() ? "" : ",") + range.to_string();
  return text;
}

const AddressRange* range_of(const RangeSet& set, const IpAddress& address) {
  for (const auto& range : set)
    if (range.contains(address)) return &range;
  return nullptr;
}

bool overlap(const RangeSet& a, const RangeSet& b) {
  for (const auto& mine : a)
    for (const auto& theirs : b)
      if (mine.overlaps(theirs)) return true;
  return false;
}

CniResult<AddressRange> read_range(const Json& json) {
  ObjectReader reader(json, "range");
  std::optional<InterfaceAddress> subnet;
  std::optional<IpAddress> start;
  std::optional<IpAddress> end;
  std::optional<IpAddress> gateway;
  read_cidr(reader, "subnet", subnet);
  read_ip(reader, "rangeStart", start);
  read_ip(reader, "rangeEnd", end);
  read_ip(reader, "gateway", gateway);
  if (!subnet) reader.reject("subnet", "is missing");
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check_subnet(*subnet));
  const Prefix network = subnet->network();
  RETURN_IF_ERROR(check_end("RangeStart", start, network));
  RETURN_IF_ERROR(check_end("RangeEnd", end, network));
  const IpAddress first = *network.address().plus(1);
  AddressRange range{.subnet = network,
                     .start = start.value_or(first),
                     .end = end.value_or(last_usable(network)),
                     .gateway = gateway.value_or(first)};
  if (range.end < range.start)
    return refuse("RangeStart " + range.start.to_string() + " is behind RangeEnd " +
                  range.end.to_string());
  return range;
}

CniResult<RangeSet> read_range_set(const Json& list) {
  if (!list.is_array()) return refuse("expected a list of ranges");
  RangeSet set;
  for (const auto& entry : list) {
    ASSIGN_OR_RETURN(const AddressRange range, read_range(entry));
    for (const auto& other : set) {
      if (other.start.family() != range.start.family()) return refuse("mixed address families");
      if (other.overlaps(range))
        return refuse("subnets " + other.to_string() + " and " + range.to_string() + " overlap");
    }
    set.push_back(range);
  }
  if (set.empty()) return refuse("empty range set");
  return set;
}

RoundRobin::RoundRobin(const RangeSet& set, std::optional<IpAddress> last)
    : set_(set), current_(set[0].start) {
  if (!last) return;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (!set[i].contains(*last)) continue;
    range_ = i;
    current_ = *last;
    advance();
    return;
  }
}

void RoundRobin::advance() {
  if (current_ == set_[range_].end) {
    range_ = (range_ + 1) % set_.size();
    current_ = set_[range_].start;
  } else {
    current_ = *current_.plus(1);
  }
}

std::optional<RoundRobin::Candidate> RoundRobin::next() {
  for (;;) {
    if (at_start_)
      at_start_ = false;
    else
      advance();
    if (!first_)
      first_ = current_;
    else if (current_ == *first_)
      return std::nullopt;
    if (current_ != set_[range_].gateway) return Candidate{current_, &set_[range_]};
  }
}

}  // namespace weft::cni
