#include "net/nft.h"

#include <utility>

namespace weft::nft {

std::string_view to_string(TableFamily family) {
  switch (family) {
    case TableFamily::kInet:
      return "inet";
    case TableFamily::kIp:
      return "ip";
    case TableFamily::kArp:
      return "arp";
    case TableFamily::kNetdev:
      return "netdev";
    case TableFamily::kBridge:
      return "bridge";
    case TableFamily::kIp6:
      return "ip6";
  }
  return "?";
}

std::string TableId::to_string() const {
  return std::string(nft::to_string(family)) + " " + name;
}

bool Set::same_definition(const Set& other) const {
  return flags == other.flags && key_type == other.key_type && key_length == other.key_length &&
         data_type == other.data_type && data_length == other.data_length && size == other.size &&
         field_lengths == other.field_lengths && timeout_ms == other.timeout_ms;
}

void TableContents::add(Chain chain, std::vector<Rule> chain_rules) {
  const std::string name = chain.name;
  chains.insert_or_assign(name, std::move(chain));
  rules.insert_or_assign(name, std::move(chain_rules));
}

void TableContents::add(Set set) {
  const std::string name = set.name;
  sets.insert_or_assign(name, std::move(set));
}

}  // namespace weft::nft
