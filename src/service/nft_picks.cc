// The chains that choose an endpoint.
#include "service/nft_key.h"
#include "service/nft_layout.h"

namespace weft::service {
namespace {

using namespace nft;

// Where a front of one kind is looked up.
struct Place {
  Family family;
  bool node;  // a port of the node
  std::uint32_t front_words() const { return (node ? 0 : address_words(family)) + 2; }
  void load(RuleWriter& rule) const {
    if (node)
      load_port(rule, 0);
    else
      load_front(rule, family, 0);
  }
};

void look_up(RuleWriter& rule, ServiceMap map, std::uint32_t from, std::uint32_t to) {
  rule.expression(
      Lookup{.set = name_of(map), .from = word_register(from), .to = word_register(to)});
}

void choose(RuleWriter& rule, const Pick& pick, std::uint32_t first, std::uint32_t word) {
  rule.expression(Numgen{.modulus = pick.count, .offset = first, .to = word_register(word)});
}

// dnat to the address and port that lie from `word` on.
void translate(RuleWriter& rule, Family family, std::uint32_t word) {
  rule.expression(Nat{.type = Nat::Type::kDestination,
                      .family = table_family(family),
                      .address_min = word_register(word),
                      .port_min = word_register(word + address_words(family))});
}

Rule pick_rule(const Pick& pick, const Place& place) {
  RuleWriter rule(table_family(place.family));
  place.load(rule);
  choose(rule, pick, pick.local ? Pick::kLocalSlots : 0, place.front_words());
  const ServiceMap endpoints = place.node ? ServiceMap::kNodeEndpoints : ServiceMap::kEndpoints;
  look_up(rule, shard_of(endpoints, pick.shard), 0, 0);
  translate(rule, place.family, 0);
  return rule;
}

// The three rules of an affinity. In the words of all of them: the client, the id of the service
// port, the number of the endpoint (or first its slot), then its address and port; so client and id
// are the key of @affinity, id and slot that of @stay-slots, id and number that of @stay-endpoints.
class Stay {
 public:
  Stay(const Pick& pick, const Place& place)
      : pick_(pick), place_(place), id_(address_words(place.family)), number_(id_ + 1) {}

  std::vector<Rule> rules() const { return {again(), anew(), unremembered()}; }

 private:
  // The client's endpoint of last time, if it is still one.
  Rule again() const {
    RuleWriter rule = begin();
    load_source(rule, place_.family, 0);
    look_number_up(rule, kAffinitySet, 0, number_);
    look_up(rule, ServiceMap::kStayEndpoints, id_, endpoint());
    remember(rule, Dynset::Op::kUpdate);
    return end(rule);
  }
  // Any, to be remembered. An update would leave the number of last time where it is.
  Rule anew() const {
    RuleWriter rule = begin();
    any(rule);
    load_source(rule, place_.family, 0);
    remember(rule, Dynset::Op::kDelete);
    remember(rule, Dynset::Op::kUpdate);
    return end(rule);
  }
  // Any, where no more clients can be remembered.
  Rule unremembered() const {
    RuleWriter rule = begin();
    any(rule);
    return end(rule);
  }

  RuleWriter begin() const {
    RuleWriter rule(table_family(place_.family));
    place_.load(rule);
    look_number_up(rule, name_of(place_.node ? ServiceMap::kNodeStayIds : ServiceMap::kStayIds), 0,
                   id_);
    constexpr std::uint32_t kLocalBit = 1;
    if (pick_.local)
      rule.expression(Bitwise{.from = word_register(id_),
                              .to = word_register(id_),
                              .mask = host_order(~kLocalBit),
                              .flip = host_order(kLocalBit)});
    return rule;
  }
  void any(RuleWriter& rule) const {
    choose(rule, pick_, 0, number_);
    look_number_up(rule, name_of(ServiceMap::kStaySlots), id_, number_);
    look_up(rule, ServiceMap::kStayEndpoints, id_, endpoint());
  }
  void remember(RuleWriter& rule, Dynset::Op op) const {
    const bool removes = op == Dynset::Op::kDelete;
    rule.expression(
        Dynset{.op = op,
               .set = kAffinitySet,
               .key = word_register(0),
               .data = word_register(number_),
               .timeout_ms = removes ? 0 : std::uint64_t{pick_.affinity_seconds} * 1000});
  }
  Rule end(RuleWriter& rule) const {
    translate(rule, place_.family, endpoint());
    return rule;
  }
  std::uint32_t endpoint() const { return number_ + 1; }

  const Pick& pick_;
  const Place& place_;
  const std::uint32_t id_;
  const std::uint32_t number_;
};

PickChain chain_of(const Pick& pick, const Place& place) {
  PickChain made{.chain = {.name = place.node ? node_chain(pick.chain()) : pick.chain()}};
  if (pick.affinity_seconds == 0)
    made.rules = {pick_rule(pick, place)};
  else
    made.rules = Stay(pick, place).rules();
  return made;
}

}  // namespace

std::string node_chain(const std::string& chain) {
  return "node-" + chain;
}
PickChain pick_chain(const Pick& pick, Family family) {
  return chain_of(pick, {.family = family, .node = false});
}
PickChain node_pick_chain(const Pick& pick, Family family) {
  return chain_of(pick, {.family = family, .node = true});
}

}  // namespace weft::service
