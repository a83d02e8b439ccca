#include "dns/option_reading.h"

#include <algorithm>

#include "base/go_duration.h"
#include "base/json.h"
#include "base/text.h"

namespace weft::dns {
namespace {

std::string counted(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " word" : " words");
}

Status check_words(const CorefileLine& line, const std::string& what, std::size_t least,
                   std::size_t most) {
  const std::size_t count = line.words.size();
  if (count >= least && count <= most) return {};
  if (most == 0) return line.fault(what + " takes nothing behind it, not " + shown(line.words[0]));
  if (count < least) return line.fault(what + " needs " + counted(least) + " behind it");
  return line.fault(what + " takes " + counted(most) + " at most");
}

}  // namespace

Status read_options(const CorefileLine& plugin, const std::vector<PluginOption>& options) {
  for (const CorefileLine& line : plugin.block) {
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const auto& each) { return each.name == line.name; });
    if (option == options.end()) {
      std::vector<std::string> names;
      for (const auto& each : options) names.push_back(each.name);
      return line.fault(plugin.name + " has no option " + shown(line.name) +
                        did_you_mean(line.name, names));
    }
    const std::string what = plugin.name + ": " + line.name;
    RETURN_IF_ERROR(check_words(line, what, option->least, option->most));
    if (!line.block.empty()) return line.fault(what + " has no block");
    RETURN_IF_ERROR(option->take(line));
  }
  return {};
}

Status expect_words(const CorefileLine& plugin, std::size_t least, std::size_t most) {
  return check_words(plugin, plugin.name, least, most);
}

Status expect_no_block(const CorefileLine& plugin) {
  if (plugin.block.empty()) return {};
  return plugin.block[0].fault(plugin.name + " has no options");
}

Result<std::chrono::milliseconds> duration_in(const CorefileLine& line, const std::string& word) {
  const auto duration = parse_go_duration(word);
  if (!duration) return line.fault(shown(word) + " is no duration like 5s or 1m30s");
  return std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
}

Result<unsigned> number_in(const CorefileLine& line, const std::string& word, unsigned least,
                           unsigned most) {
  const auto number = parse_number(word);
  if (!number || *number < least || *number > most)
    return line.fault(shown(word) + " is no number from " + std::to_string(least) + " to " +
                      std::to_string(most));
  return static_cast<unsigned>(*number);
}

Result<std::vector<Name>> zones_in(const CorefileLine& line, std::size_t first) {
  std::vector<Name> names;
  for (std::size_t i = first; i < line.words.size(); ++i) {
    auto zone = parse_corefile_zone(line.words[i]);
    if (!zone) return because(line.place(), zone.error());
    if (zone->port) return line.fault(shown(line.words[i]) + ": a plugin's zone has no port");
    names.insert(names.end(), zone->names.begin(), zone->names.end());
  }
  return names;
}

Result<ListenAddress> address_in(const CorefileLine& line, const std::string& word,
                                 std::uint16_t default_port) {
  ListenAddress result{.address = IpAddress::any(Family::kIpv6), .port = default_port};
  std::string host = word;
  const std::size_t colon = word.rfind(':');
  const bool is_bare = IpAddress::parse(word).has_value();
  if (!is_bare && colon != std::string::npos) {
    const auto port = parse_number(std::string_view(word).substr(colon + 1));
    if (!port || *port > 0xffff) return line.fault(shown(word) + " has no port behind its colon");
    result.port = static_cast<std::uint16_t>(*port);
    host.erase(colon);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host.empty()) return result;
  if (host == "localhost") host = "127.0.0.1";
  const auto address = IpAddress::parse(host);
  if (!address) return line.fault(shown(word) + " is no address");
  result.address = *address;
  return result;
}

Result<Fallthrough> fallthrough_in(const CorefileLine& line) {
  if (line.words.empty()) return Fallthrough{Name()};
  return zones_in(line, 0);
}

}  // namespace weft::dns
