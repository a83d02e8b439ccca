#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "cni/plugins/portmap_rules.h"
#include "net/nft_rules.h"

namespace weft::cni {
namespace {

using nft::RuleWriter;

constexpr const char* kHostports = "hostports";
// Was once for mappings with a host's address; the Go plugin keeps it for upgrades.
constexpr const char* kHostIpHostports = "hostip_hostports";
constexpr const char* kAllHostports = "hostports_all";
constexpr const char* kMasquerading = "masquerading";
constexpr std::size_t kLongestComment = 127;

// Conditions as nft(8) reads them, for what is asked most often: addresses and devices.
class NftConditions {
 public:
  NftConditions(const std::vector<std::string>& conditions, Family family) : family_(family) {
    for (const auto& condition : conditions)
      for (auto& word : split(condition, ' '))
        if (!word.empty()) words_.push_back(std::move(word));
  }

  /// False when there is something that is not understood.
  bool write(RuleWriter& rule) {
    while (next_ < words_.size())
      if (!write_one(rule)) return false;
    return true;
  }

 private:
  std::string take() { return next_ < words_.size() ? words_[next_++] : std::string(); }

  bool take_inversion() {
    const bool inverted = next_ < words_.size() && words_[next_] == "!=";
    if (inverted || (next_ < words_.size() && words_[next_] == "==")) ++next_;
    return inverted;
  }

  bool write_one(RuleWriter& rule) {
    std::string word = take();
    if (word == "meta") word = take();
    if (word == "iifname" || word == "oifname") return link(rule, word == "iifname");
    if (word != (family_ == Family::kIpv4 ? "ip" : "ip6")) return false;
    const std::string field = take();
    if (field != "saddr" && field != "daddr") return false;
    const bool inverted = take_inversion();
    const std::string text = take();
    const auto single = IpAddress::parse(text);
    const auto prefix = single ? std::optional(Prefix::host(*single)) : Prefix::parse(text);
    if (!prefix || prefix->family() != family_) return false;
    if (field == "saddr")
      inverted ? rule.source_not_in(*prefix) : rule.source_in(*prefix);
    else
      inverted ? rule.destination_not_in(*prefix) : rule.destination_in(*prefix);
    return true;
  }

  bool link(RuleWriter& rule, bool incoming) {
    const bool inverted = take_inversion();
    std::string name = take();
    if (name.size() > 2 && name.front() == '"' && name.back() == '"')
      name = name.substr(1, name.size() - 2);
    constexpr std::size_t kLongest = 15;
    if (name.empty() || name.size() > kLongest || name.find_first_of("\"{@$") != std::string::npos)
      return false;
    if (incoming)
      inverted ? rule.incoming_link_is_not(name) : rule.incoming_link_is(name);
    else
      inverted ? rule.outgoing_link_is_not(name) : rule.outgoing_link_is(name);
    return true;
  }

  Family family_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

std::string comment_of(const AttachmentName& attachment) {
  return attachment.container_id.substr(0, kLongestComment);
}

// In front of the others', unless they are there already.
void put_owned(nft::TableContents& table, const std::string& chain, std::vector<nft::Rule> wanted,
               const AttachmentName& attachment) {
  for (auto& rule : wanted) {
    rule.comment = comment_of(attachment);
    rule.owner = attachment_hash(attachment);
  }
  auto& rules = table.rules[chain];
  const auto is_own = [&](const nft::Rule& rule) { return is_hostport_of(rule, attachment); };
  std::vector<nft::Rule> present;
  std::copy_if(rules.begin(), rules.end(), std::back_inserter(present), is_own);
  if (present == wanted) return;
  std::erase_if(rules, is_own);
  rules.insert(rules.begin(), wanted.begin(), wanted.end());
}

nft::Rule mapping_rule(const PortMapping& mapping, const InterfaceAddress& container) {
  RuleWriter rule(nft::table_family(container.address.family()));
  if (const auto host = mapping.only_host_ip()) rule.destination_in(Prefix::host(*host));
  return rule.destination_port_is(mapping.protocol, mapping.host_port)
      .dnat(container.address, mapping.container_port);
}

// Any traffic of these patterns would have to be masqueraded to work, whatever port it was for.
std::vector<nft::Rule> masquerade_rules(const PortmapConfig& config,
                                        const InterfaceAddress& container) {
  const Family family = container.address.family();
  const Prefix itself = Prefix::host(container.address);
  std::vector<Prefix> sources;
  if (config.masquerade_all)
    sources = {Prefix(IpAddress::any(family), 0)};
  else if (family == Family::kIpv4)
    sources = {itself, *Prefix::parse("127.0.0.1/32")};
  else
    sources = {itself};
  std::vector<nft::Rule> rules;
  for (const auto& source : sources)
    rules.push_back(RuleWriter(nft::table_family(family))
                        .source_in(source)
                        .destination_in(itself)
                        .masquerade());
  return rules;
}

nft::Chain hook(const char* name, nft::HookPoint point, std::int32_t priority) {
  return {.name = name, .hook = nft::Hook{.type = "nat", .point = point, .priority = priority}};
}

void put_chain(nft::TableContents& table, const nft::Chain& chain) {
  table.chains.insert_or_assign(chain.name, chain);
}

void put_structure(nft::TableContents& table, const PortmapConfig& config, Family family) {
  const nft::TableFamily of = nft::table_family(family);
  for (const char* name : {kHostports, kHostIpHostports, kAllHostports})
    put_chain(table, {.name = name});
  table.rules[kAllHostports] = {RuleWriter(of).jump(kHostIpHostports),
                                RuleWriter(of).jump(kHostports)};
  const auto& conditions = config.conditions(family);
  for (const auto& [name, point] : {std::pair{"prerouting", nft::HookPoint::kPrerouting},
                                    std::pair{"output", nft::HookPoint::kOutput}}) {
    put_chain(table, hook(name, point, nft::priority::kDstNat));
    RuleWriter rule(of);
    if (!NftConditions(conditions, family).write(rule)) continue;
    // What is for this machine, and not what it forwards (CVE-2025-67499).
    table.rules[name] = {rule.destination_is_local().jump(kAllHostports)};
  }
  if (config.snat)
    put_chain(table, hook(kMasquerading, nft::HookPoint::kPostrouting, nft::priority::kSrcNat));
}

}  // namespace

nft::TableId hostport_table(Family family) {
  return {.family = nft::table_family(family), .name = "cni_hostport"};
}

nft::TableContents with_hostports(const PortmapConfig& config, const AttachmentName& attachment,
                                  const InterfaceAddress& container,
                                  const std::optional<nft::TableContents>& present) {
  const Family family = container.address.family();
  nft::TableContents table = present.value_or(
      nft::TableContents{.table = {.id = hostport_table(family), .comment = "CNI portmap plugin"}});
  put_structure(table, config, family);
  std::vector<nft::Rule> mappings;
  for (const auto& mapping : config.mappings)
    if (mapping.is_of(family)) mappings.push_back(mapping_rule(mapping, container));
  put_owned(table, kHostports, std::move(mappings), attachment);
  put_owned(table, kHostIpHostports, {}, attachment);
  if (config.snat) put_owned(table, kMasquerading, masquerade_rules(config, container), attachment);
  return table;
}

bool understands_nft_conditions(const std::vector<std::string>& conditions, Family family) {
  RuleWriter rule(nft::table_family(family));
  return NftConditions(conditions, family).write(rule);
}

std::string nft_conditions_script(const std::vector<std::string>& conditions, Family family) {
  const std::string table = hostport_table(family).to_string();
  std::string words;
  for (const auto& condition : conditions) words += condition + " ";
  std::string script;
  for (const std::string chain : {"prerouting", "output"})
    script += "flush chain " + table + " " + chain + "\nadd rule " + table + " " + chain + " " +
              words + "fib daddr type local jump " + kAllHostports + "\n";
  return script;
}

bool is_hostport_of(const nft::Rule& rule, const AttachmentName& attachment) {
  if (!rule.owner.empty()) return rule.owner == attachment_hash(attachment);
  return !rule.comment.empty() && rule.comment == comment_of(attachment);
}

}  // namespace weft::cni
