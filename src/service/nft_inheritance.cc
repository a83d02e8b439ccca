#include "service/nft_inheritance.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace weft::service {
namespace {

using namespace nft;

constexpr std::size_t kWord = 4;

// Takes the fields of a key off its front, each padded to whole words.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : left_(key) {}

  std::optional<IpAddress> address(Family family) {
    return IpAddress::from_bytes(take(address_bits(family) / 8U));
  }
  std::uint8_t byte() {
    const auto field = take(kWord);
    return field.empty() ? 0 : static_cast<std::uint8_t>(field[0]);
  }
  std::uint16_t port() {
    const auto field = take(kWord);
    if (field.empty()) return 0;
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(field[0]) << 8U |
                                      static_cast<std::uint8_t>(field[1]));
  }
  std::optional<std::uint32_t> number() {
    const auto field = take(kWord);
    std::uint32_t value = 0;
    if (field.empty()) return std::nullopt;
    std::memcpy(&value, field.data(), sizeof value);
    return value;
  }

 private:
  std::string_view take(std::size_t size) {
    if (left_.size() < size) return left_ = {};
    const auto field = left_.substr(0, size);
    left_.remove_prefix(size);
    return field;
  }

  std::string_view left_;
};

std::optional<FrontKey> read_front(KeyReader& key, Family family) {
  const auto address = key.address(family);
  if (!address) return std::nullopt;
  const auto protocol = static_cast<ServiceProtocol>(key.byte());
  return FrontKey{.address = *address, .protocol = protocol, .port = key.port()};
}

std::optional<EndpointRecord> read_place(const Element& element, Family family) {
  const auto* data = element.data ? std::get_if<Bytes>(&*element.data) : nullptr;
  if (data == nullptr) return std::nullopt;
  KeyReader reader(*data);
  const auto address = reader.address(family);
  if (!address) return std::nullopt;
  return EndpointRecord{.address = *address, .marks = 0, .port = reader.port()};
}

std::optional<std::uint32_t> read_number(const Element& element) {
  const auto* data = element.data ? std::get_if<Bytes>(&*element.data) : nullptr;
  return data == nullptr ? std::nullopt : KeyReader(*data).number();
}

// A slot that nothing stood in holds 0.0.0.0, which is no endpoint.
void put_at(std::vector<EndpointRecord>& slots, std::size_t slot, const EndpointRecord& place) {
  if (slot > Pick::kMostEndpoints) return;
  if (slots.size() <= slot) slots.resize(slot + 1);
  slots[slot] = place;
}

const std::vector<Element>& elements_of(const TableContents& table, ServiceMap map) {
  static const std::vector<Element> kNone;
  const auto set = table.sets.find(name_of(map));
  return set == table.sets.end() ? kNone : set->second.elements;
}

std::set<std::uint32_t> picks_in(const TableContents& table, ServiceMap map) {
  std::set<std::uint32_t> picks;
  for (const Element& element : elements_of(table, map)) {
    const auto number = KeyReader(element.key).number();
    if (number && Pick::of_number(*number).count != 0) picks.insert(*number);
  }
  return picks;
}

}  // namespace

NftInheritance::NftInheritance(const TableContents& table, Family family) {
  for (std::uint32_t shard = 0; shard < Pick::kShards; ++shard)
    for (const Element& element : elements_of(table, shard_of(ServiceMap::kEndpoints, shard)))
      read_endpoint(element, family);
  for (const Element& element : elements_of(table, ServiceMap::kStayIds)) {
    KeyReader key(element.key);
    const auto front = read_front(key, family);
    const auto id = read_number(element);
    if (!front || !id || *id % 2 != 0) continue;
    stay_ids_.emplace(*front, *id);
    largest_stay_id_ = std::max(largest_stay_id_, *id);
  }
  read_stays(table, family);
  picks_ = {.address = picks_in(table, ServiceMap::kPicks),
            .node = picks_in(table, ServiceMap::kNodePicks)};
}

void NftInheritance::read_endpoint(const Element& element, Family family) {
  KeyReader key(element.key);
  const auto front = read_front(key, family);
  const auto slot = key.number();
  const auto place = read_place(element, family);
  if (!front || !slot || !place) return;
  FormerSlots& former = slots_[*front];
  if (*slot < Pick::kLocalSlots)
    put_at(former.cluster, *slot, *place);
  else
    put_at(former.local, *slot - Pick::kLocalSlots, *place);
}

void NftInheritance::read_stays(const TableContents& table, Family family) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, EndpointRecord> places;  // by id and number
  for (const Element& element : elements_of(table, ServiceMap::kStayEndpoints)) {
    KeyReader key(element.key);
    const auto id = key.number();
    const auto number = key.number();
    const auto place = read_place(element, family);
    if (id && number && place) places.emplace(std::pair(*id, *number), *place);
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;  // by id and slot
  for (const Element& element : elements_of(table, ServiceMap::kStaySlots)) {
    KeyReader key(element.key);
    const auto id = key.number();
    const auto slot = key.number();
    const auto number = read_number(element);
    if (id && slot && number) numbers.emplace(std::pair(*id, *slot), *number);
  }
  for (const auto& [at, number] : numbers) {
    const auto place = places.find({at.first, number});
    if (place == places.end()) continue;
    stay_slots_[at.first].endpoints.push_back(place->second);
    stay_slots_[at.first].numbers.push_back(number);
  }
}

NftInheritance::StaySlots NftInheritance::take_stay(std::uint32_t id) {
  const auto node = stay_slots_.extract(id);
  return node ? std::move(node.mapped()) : StaySlots{};
}

FormerSlots NftInheritance::take(const FrontKey& front) {
  FormerSlots former;
  const auto stay = stay_ids_.extract(front);
  if (stay && taken_stay_ids_.insert(stay.mapped()).second) {
    StaySlots cluster = take_stay(stay.mapped());
    StaySlots local = take_stay(stay.mapped() + 1);
    return {.cluster = std::move(cluster.endpoints),
            .local = std::move(local.endpoints),
            .stay = {.id = stay.mapped(),
                     .cluster = std::move(cluster.numbers),
                     .local = std::move(local.numbers)}};
  }
  if (auto slots = slots_.extract(front)) former = std::move(slots.mapped());
  return former;
}

}  // namespace weft::service
