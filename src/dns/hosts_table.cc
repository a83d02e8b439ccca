#include "dns/hosts_table.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace weft::dns {
namespace {

constexpr std::string_view kAnyLabel = "\1*";

// The next word; empty at the end.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

HostsTable HostsTable::parse(std::string_view text, const std::vector<std::string>& more) {
  HostsTable table;
  for (const std::string& line : split(text, '\n')) table.add_line(line);
  for (const std::string& line : more) table.add_line(line);
  return table;
}

void HostsTable::add_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::string_view first = take_word(line);
  first = first.substr(0, first.find('%'));  // a device means nothing to who asks
  const auto address = IpAddress::parse(first);
  if (!address) return;
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    const auto name = Name::parse(word);
    if (!name || name->is_root()) continue;
    auto& addresses = addresses_[lower(name->wire())];
    if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
    addresses.push_back(*address);
    names_[*address].push_back(*name);
  }
}

const std::vector<IpAddress>* HostsTable::addresses_of(const LookupName& name) const {
  if (const auto found = addresses_.find(name.wire()); found != addresses_.end())
    return &found->second;
  if (name.labels() < 2) return nullptr;
  const std::string_view parent = name.from(1);
  std::array<char, kLongestName + kAnyLabel.size()> wildcard;
  std::copy(kAnyLabel.begin(), kAnyLabel.end(), wildcard.begin());
  std::copy(parent.begin(), parent.end(), wildcard.begin() + kAnyLabel.size());
  const auto found =
      addresses_.find(std::string_view(wildcard.data(), kAnyLabel.size() + parent.size()));
  return found == addresses_.end() ? nullptr : &found->second;
}

const std::vector<Name>* HostsTable::names_of(const IpAddress& address) const {
  const auto found = names_.find(address);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace weft::dns
