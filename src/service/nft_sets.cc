// nft_sets.cc: the sets and maps of the table.
#include "net/nft_typeof.h"
#include "service/nft_layout.h"

namespace weft::service {
namespace {

using namespace nft;

// A key or data of several fields: its type as nft(8) numbers it, and its length.
struct Fields {
  std::uint32_t type = 0;
  std::uint32_t length = 0;
};

constexpr std::uint32_t kWord = 4;
// What a random slot is said to lie below, in the declaration of the maps of endpoints.
constexpr std::uint32_t kSlots = 65536;
// So many clients are remembered; beyond that a connection has no affinity.
constexpr std::uint32_t kMostClients = 1U << 20U;

// The kind of a map: of all shards, the first.
ServiceMap first_shard(ServiceMap map) {
  for (const ServiceMap first : {ServiceMap::kEndpoints, ServiceMap::kNodeEndpoints})
    if (map >= first && map < shard_of(first, Pick::kShards)) return first;
  return map;
}

class SetMaker {
 public:
  explicit SetMaker(Family family)
      : family_(family),
        address_type_(family == Family::kIpv4 ? data_type::kIpv4Address : data_type::kIpv6Address),
        address_length_(address_bits(family) / 8U) {}

  Set make(ServiceMap map) const {
    using namespace data_type;
    const std::uint32_t a = address_type_;
    switch (first_shard(map)) {
      case ServiceMap::kServices:
      case ServiceMap::kClusterPicks:
      case ServiceMap::kLocalPicks:
      case ServiceMap::kStayIds:
        return number_map(name_of(map), {concatenation(a, kInetProtocol, kInetService),
                                         address_length_ + 2 * kWord});
      case ServiceMap::kNodePorts:
      case ServiceMap::kNodeClusterPicks:
      case ServiceMap::kNodeLocalPicks:
      case ServiceMap::kNodeStayIds:
        return number_map(name_of(map), {concatenation(kInetProtocol, kInetService), 2 * kWord});
      case ServiceMap::kEndpoints:
        return endpoint_map(
            map,
            {concatenation(a, kInetProtocol, kInetService, kInteger), address_length_ + 3 * kWord},
            {TypeofField::destination_address(family_), TypeofField::l4_protocol(),
             TypeofField::destination_port(), TypeofField::random(kSlots)});
      case ServiceMap::kNodeEndpoints:
        return endpoint_map(map, {concatenation(kInetProtocol, kInetService, kInteger), 3 * kWord},
                            {TypeofField::l4_protocol(), TypeofField::destination_port(),
                             TypeofField::random(kSlots)});
      case ServiceMap::kStayEndpoints:
        return map_to_place(name_of(map), {concatenation(kMark, kMark), 2 * kWord});
      case ServiceMap::kStaySlots:
        return number_map(name_of(map), {concatenation(kMark, kMark), 2 * kWord});
      case ServiceMap::kAllowedSources:
        return allowed_sources();
      case ServiceMap::kClusterIps:
        return plain(name_of(map), {a, address_length_});
      case ServiceMap::kHairpins:
        return plain(name_of(map), {concatenation(a, a, kInetProtocol, kInetService),
                                    2 * address_length_ + 2 * kWord});
      case ServiceMap::kWays:
      case ServiceMap::kNodeWays:
      case ServiceMap::kPicks:
      case ServiceMap::kNodePicks:
        break;
    }
    return {.name = name_of(map),
            .flags = set_flags::kMap,
            .key_type = kMark,
            .key_length = kWord,
            .data_type = kVerdict,
            .host_order_key = true};
  }

  Set affinity() const {
    Set set = number_map(kAffinitySet, {data_type::concatenation(address_type_, data_type::kMark),
                                        address_length_ + kWord});
    set.flags |= set_flags::kDynamic | set_flags::kTimeout;
    set.size = kMostClients;
    return set;
  }

  Set node_addresses(const std::vector<IpAddress>& addresses) const {
    Set set{.name = kNodeAddressSet, .key_type = address_type_, .key_length = address_length_};
    for (const auto& address : addresses)
      if (address.family() == family_) set.elements.push_back({.key = Bytes(address.bytes())});
    return set;
  }

 private:
  static Set plain(const char* name, Fields key) {
    return {.name = name, .key_type = key.type, .key_length = key.length};
  }
  static Set number_map(const char* name, Fields key) {
    Set set = plain(name, key);
    set.flags = set_flags::kMap;
    set.data_type = data_type::kMark;
    set.data_length = kWord;
    set.host_order_data = true;
    return set;
  }
  Set map_to_place(const char* name, Fields key) const {
    return {.name = name,
            .flags = set_flags::kMap,
            .key_type = key.type,
            .key_length = key.length,
            .data_type = data_type::concatenation(address_type_, data_type::kInetService),
            .data_length = address_length_ + kWord};
  }
  Set endpoint_map(ServiceMap map, Fields key, const std::vector<TypeofField>& fields) const {
    Set set = map_to_place(name_of(map), key);
    set.userdata = typeof_record(
        fields, {TypeofField::destination_address(family_), TypeofField::destination_port()});
    return set;
  }
  Set allowed_sources() const {
    using namespace data_type;
    Set set = plain(name_of(ServiceMap::kAllowedSources),
                    {concatenation(address_type_, kInetProtocol, kInetService, address_type_),
                     2 * address_length_ + 2 * kWord});
    set.flags = set_flags::kInterval | set_flags::kConcatenation;
    set.field_lengths = {address_length_, 1, 2, address_length_};
    return set;
  }

  const Family family_;
  const std::uint32_t address_type_;
  const std::uint32_t address_length_;
};

std::vector<std::string> names() {
  std::vector<std::string> all = {"services",   "cluster-picks",      "local-picks",
                                  "node-ports", "node-cluster-picks", "node-local-picks"};
  for (const char* kind : {"endpoints-", "node-endpoints-"})
    for (std::uint32_t shard = 0; shard < Pick::kShards; ++shard)
      all.push_back(kind + std::string(1, Pick::shard_name(shard)));
  for (const char* name :
       {"stay-ids", "node-stay-ids", "stay-slots", "stay-endpoints", "allowed-sources",
        "cluster-ips", "hairpins", "ways", "node-ways", "picks", "node-picks"})
    all.emplace_back(name);
  return all;
}

}  // namespace

const char* name_of(ServiceMap map) {
  static const std::vector<std::string> kNames = names();
  return kNames[static_cast<std::size_t>(map)].c_str();
}

std::vector<Set> service_sets(const RuleOptions& options) {
  const SetMaker maker(options.family);
  std::vector<Set> sets;
  for (std::size_t i = 0; i < kServiceMaps; ++i)
    sets.push_back(maker.make(static_cast<ServiceMap>(i)));
  sets.push_back(maker.affinity());
  if (options.node_port_addresses)
    sets.push_back(maker.node_addresses(*options.node_port_addresses));
  return sets;
}

}  // namespace weft::service
