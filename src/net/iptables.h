// iptables.h: the rules of iptables as values, as iptables-save prints them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft {

struct IptablesChain {
  std::optional<std::string> policy = {};  ///< "ACCEPT" or "DROP" of built-in chains
  /// In order; each is the text behind "-A CHAIN ", as iptables-save puts it.
  std::vector<std::string> rules = {};
  bool operator==(const IptablesChain&) const = default;
};

struct IptablesTable {
  std::map<std::string, IptablesChain> chains = {};
  bool operator==(const IptablesTable&) const = default;
};

/// By name: "filter", "nat", ...
using IptablesTables = std::map<std::string, IptablesTable>;

}  // namespace weft
