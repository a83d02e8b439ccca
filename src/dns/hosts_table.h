// hosts_table.h: the names of a hosts file (man 5 hosts), ready to be answered.
//
// Immutable: a changed file makes another table. Looking up allocates nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/lookup_name.h"
#include "dns/name.h"
#include "net/address.h"

namespace weft::dns {

class HostsTable {
 public:
  /// The lines of a file, with `more` lines of the same form behind them. What is no address or no
  /// name is passed over, as it is by everybody who reads such files. `*` as the first label
  /// stands for any one label.
  static HostsTable parse(std::string_view text, const std::vector<std::string>& more = {});

  /// nullptr for a name that is not there.
  const std::vector<IpAddress>* addresses_of(const LookupName& name) const;
  /// nullptr for an address that is not there.
  const std::vector<Name>* names_of(const IpAddress& address) const;
  std::size_t size() const { return addresses_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  void add_line(std::string_view line);

  // By the wire form of the name in small letters.
  std::unordered_map<std::string, std::vector<IpAddress>, Hash, std::equal_to<>> addresses_;
  std::unordered_map<IpAddress, std::vector<Name>> names_;
};

}  // namespace weft::dns
