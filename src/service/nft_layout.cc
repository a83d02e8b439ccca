#include "service/nft_layout.h"

#include <utility>

#include "net/nft_rules.h"
#include "service/nft_key.h"

namespace weft::service {
namespace {

using namespace nft;

constexpr const char* kServicesChain = "services";
constexpr const char* kExternal = "external";
constexpr const char* kExternalLocal = "external-local";
constexpr const char* kRestrictedReject = "restricted-refuse";
constexpr const char* kRestrictedExternal = "restricted-external";
constexpr const char* kRestrictedExternalLocal = "restricted-external-local";
// Not "reject", which nft(8) takes for a statement.
constexpr const char* kReject = "refuse";
constexpr const char* kClusterIpsCheck = "cluster-ips-check";

// The maps that a front is looked up in, and those from numbers to chains.
struct Maps {
  ServiceMap fronts, ways, cluster_picks, local_picks, picks;
};
constexpr Maps kAddressMaps{ServiceMap::kServices, ServiceMap::kWays, ServiceMap::kClusterPicks,
                            ServiceMap::kLocalPicks, ServiceMap::kPicks};
constexpr Maps kNodeMaps{ServiceMap::kNodePorts, ServiceMap::kNodeWays,
                         ServiceMap::kNodeClusterPicks, ServiceMap::kNodeLocalPicks,
                         ServiceMap::kNodePicks};

class ChainMaker {
 public:
  explicit ChainMaker(const RuleOptions& options)
      : options_(options), family_(options.family), table_family_(table_family(family_)) {}

  void add_to(TableContents& table) const {
    table.add(Chain{.name = kServicesChain}, services());
    table.add(Chain{.name = kReject}, {writer().reject()});
    for (const auto& [prefix, maps] :
         {std::pair(std::string(), kAddressMaps), std::pair(node_chain(""), kNodeMaps)}) {
      table.add(Chain{.name = prefix + kExternal}, external(maps));
      table.add(Chain{.name = prefix + kExternalLocal}, external_local(maps));
    }
    table.add(Chain{.name = kRestrictedReject}, restricted(kReject));
    table.add(Chain{.name = kRestrictedExternal}, restricted(kExternal));
    table.add(Chain{.name = kRestrictedExternalLocal}, restricted(kExternalLocal));
    table.add(Chain{.name = kClusterIpsCheck}, cluster_ips_check());
    add_base_chains(table);
  }

 private:
  RuleWriter writer() const { return RuleWriter(table_family_); }

  // The number in one map, the chain in the other: a front that is not there goes on with the next
  // rule.
  Rule look_up(RuleWriter rule, ServiceMap numbers, ServiceMap chains) const {
    if (chains == ServiceMap::kNodeWays || chains == ServiceMap::kNodePicks)
      load_port(rule, 0);
    else
      load_front(rule, family_, 0);
    look_number_up(rule, name_of(numbers), 0, 0);
    rule.expression(Lookup{.set = name_of(chains), .to = Register::kVerdict});
    return rule;
  }

  std::vector<Rule> services() const {
    std::vector<Rule> rules = masquerade_of_cluster_traffic();
    rules.push_back(look_up(writer(), kAddressMaps.fronts, kAddressMaps.ways));
    RuleWriter node = writer();
    if (options_.node_port_addresses) {
      node.destination_in_set(family_, kNodeAddressSet);
    } else {
      const char* loopback = family_ == Family::kIpv4 ? "127.0.0.0/8" : "::1/128";
      node.destination_is_local().destination_not_in(Prefix::parse(loopback).value());
    }
    rules.push_back(look_up(node, kNodeMaps.fronts, kNodeMaps.ways));
    return rules;
  }

  // Of cluster addresses only: some route traffic to them to any node, which must see the answers.
  std::vector<Rule> masquerade_of_cluster_traffic() const {
    const LocalDetector& detector = options_.detector;
    RuleWriter rule = writer();
    rule.destination_in_set(family_, name_of(ServiceMap::kClusterIps));
    if (!options_.masquerade_all) {
      if (!detector.detects(family_)) return {};
      if (const auto range = detector.range(family_))
        rule.source_not_in(*range);
      else
        rule.incoming_link_is_not(detected_link());
    }
    return {rule.add_to_mark(options_.masquerade_mark)};
  }

  std::string detected_link() const {
    const LocalDetector& detector = options_.detector;
    return detector.bridge.empty() ? detector.link_prefix + "*" : detector.bridge;
  }

  std::vector<Rule> external(const Maps& maps) const {
    return {
        look_up(writer().add_to_mark(options_.masquerade_mark), maps.cluster_picks, maps.picks)};
  }

  std::vector<Rule> external_local(const Maps& maps) const {
    std::vector<Rule> rules;
    if (options_.detector.detects(family_)) {
      RuleWriter pods = writer();
      if (const auto range = options_.detector.range(family_))
        pods.source_in(*range);
      else
        pods.incoming_link_is(detected_link());
      rules.push_back(look_up(pods, maps.cluster_picks, maps.picks));
    }
    rules.push_back(look_up(writer().source_is_local().add_to_mark(options_.masquerade_mark),
                            maps.cluster_picks, maps.picks));
    rules.push_back(look_up(writer(), maps.local_picks, maps.picks));
    rules.push_back(writer().drop());
    return rules;
  }

  std::vector<Rule> restricted(const char* then) const {
    RuleWriter rule = writer();
    load_front(rule, family_, 0);
    load_source(rule, family_, address_words(family_) + 2);
    rule.expression(Lookup{.set = name_of(ServiceMap::kAllowedSources), .inverted = true});
    return {rule.drop(), writer().go_to(then)};
  }

  // What is left of traffic to cluster addresses after all translation, other tables' included.
  std::vector<Rule> cluster_ips_check() const {
    std::vector<Rule> rules{
        writer().destination_in_set(family_, name_of(ServiceMap::kClusterIps)).reject()};
    for (const auto& range : options_.service_ranges)
      if (range.family() == family_) rules.push_back(writer().destination_in(range).drop());
    return rules;
  }

  std::vector<Rule> postrouting() const {
    constexpr std::uint32_t kDnat = 0x20;  // IPS_DST_NAT
    const PortChoice choice{.fully_random = true};
    // Without the mark, so that a packet that passes here again in another shape (a tunnel's) is
    // not masqueraded twice.
    RuleWriter marked = writer().mark_is(options_.masquerade_mark, options_.masquerade_mark);
    marked.expression(MetaLoad{.key = MetaKey::kMark})
        .expression(Bitwise{.mask = host_order(~0U), .flip = host_order(options_.masquerade_mark)})
        .expression(MetaSet{.key = MetaKey::kMark})
        .masquerade(choice);
    RuleWriter hairpin = writer().ct_status(kDnat);
    const std::uint32_t words = address_words(family_);
    load_source(hairpin, family_, 0);
    load_front(hairpin, family_, words);
    hairpin.expression(Lookup{.set = name_of(ServiceMap::kHairpins)}).masquerade(choice);
    return {marked, hairpin};
  }

  void add_base_chains(TableContents& table) const {
    const auto add = [&](const char* name, const char* type, HookPoint point, std::int32_t place,
                         std::vector<Rule> rules) {
      table.add(Chain{.name = name, .hook = Hook{.type = type, .point = point, .priority = place}},
                std::move(rules));
    };
    const auto jump = [&] { return std::vector<Rule>{writer().jump(kServicesChain)}; };
    const auto check = [&] {
      return std::vector<Rule>{writer().ct_state(ct_state::kNew).jump(kClusterIpsCheck)};
    };
    add("nat-prerouting", "nat", HookPoint::kPrerouting, priority::kDstNat, jump());
    add("nat-output", "nat", HookPoint::kOutput, priority::kDstNat, jump());
    add("nat-postrouting", "nat", HookPoint::kPostrouting, priority::kSrcNat, postrouting());
    add("filter-forward", "filter", HookPoint::kForward, priority::kFilter, check());
    add("filter-output", "filter", HookPoint::kOutput, priority::kFilter, check());
  }

  const RuleOptions& options_;
  const Family family_;
  const TableFamily table_family_;
};

Element way(Way number, nft::Verdict::Code code, const std::string& chain = {}) {
  return {.key = number_key(static_cast<std::uint32_t>(number)),
          .data = nft::Verdict{.code = code, .chain = chain}};
}

std::vector<Element> constant_ways(const std::string& prefix) {
  using Code = nft::Verdict::Code;
  return {way(Way::kReject, Code::kGoto, kReject), way(Way::kDrop, Code::kDrop),
          way(Way::kExternal, Code::kGoto, prefix + kExternal),
          way(Way::kExternalLocal, Code::kGoto, prefix + kExternalLocal)};
}

void add_restricted_ways(std::vector<Element>& ways) {
  using Code = nft::Verdict::Code;
  ways.push_back(way(Way::kRestrictedReject, Code::kGoto, kRestrictedReject));
  ways.push_back(way(Way::kRestrictedExternal, Code::kGoto, kRestrictedExternal));
  ways.push_back(way(Way::kRestrictedExternalLocal, Code::kGoto, kRestrictedExternalLocal));
}

}  // namespace

TableId service_table(Family family) {
  return {.family = table_family(family), .name = "weft-services"};
}

TableContents service_frame(const RuleOptions& options) {
  TableContents table{.table = {.id = service_table(options.family),
                                .comment = "services of Kubernetes, kept by weftd"}};
  for (Set& set : service_sets(options)) table.add(std::move(set));
  auto& ways = table.sets.at(name_of(ServiceMap::kWays)).elements;
  ways = constant_ways("");
  add_restricted_ways(ways);
  table.sets.at(name_of(ServiceMap::kNodeWays)).elements = constant_ways(node_chain(""));
  ChainMaker(options).add_to(table);
  return table;
}

}  // namespace weft::service
