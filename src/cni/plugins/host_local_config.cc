#include "cni/plugins/host_local_config.h"

#include <algorithm>

#include "base/text.h"
#include "cni/arguments.h"
#include "cni/ipam_config.h"
#include "cni/json_reading.h"

namespace weft::cni {
namespace {

// With or without a prefix length.
CniResult<IpAddress> parse_requested(const std::string& text) {
  const auto address = parse_ip(text.substr(0, text.find('/')));
  if (!address) return refuse("cannot understand ip: invalid IP address: " + text);
  return *address;
}

CniStatus read_requested_list(const Json* holder, std::vector<IpAddress>& requested) {
  ASSIGN_OR_RETURN(const auto texts, read_requested_ips(holder));
  for (const auto& text : texts) {
    ASSIGN_OR_RETURN(const IpAddress address, parse_requested(text));
    requested.push_back(address);
  }
  return {};
}

CniStatus read_requested(const Call& call, ObjectReader& top, std::vector<IpAddress>& requested) {
  ASSIGN_OR_RETURN(const Arguments arguments,
                   parse_arguments(call.environment.args, {"IP", "GATEWAY"}));
  if (const auto given = arguments.find("IP"); given != arguments.end() && !given->second.empty()) {
    ASSIGN_OR_RETURN(const IpAddress address, parse_requested(given->second));
    requested.push_back(address);
  }
  if (const Json* args = top.object("args"))
    RETURN_IF_ERROR(read_requested_list(find_member(*args, "cni"), requested));
  return read_requested_list(top.object("runtimeConfig"), requested);
}

CniStatus add_sets(const Json* list, std::vector<RangeSet>& sets) {
  if (list == nullptr) return {};
  for (const auto& entry : *list) {
    auto set = read_range_set(entry);
    if (!set)
      return because("invalid range set " + std::to_string(sets.size()), std::move(set).error());
    sets.push_back(*std::move(set));
  }
  return {};
}

CniStatus read_sets(ObjectReader& top, const Json& ipam, ObjectReader& inside,
                    std::vector<RangeSet>& sets) {
  const Json* runtime = top.object("runtimeConfig");
  if (runtime != nullptr) {
    ObjectReader reader(*runtime, "runtimeConfig");
    RETURN_IF_ERROR(add_sets(reader.array("ipRanges"), sets));
    RETURN_IF_ERROR(reader.finish());
  }
  if (inside.find("subnet") != nullptr) {
    Json legacy = Json::array();
    legacy.push_back(Json::array({ipam}));
    RETURN_IF_ERROR(add_sets(&legacy, sets));
  }
  return add_sets(inside.array("ranges"), sets);
}

CniStatus check_sets(const std::vector<RangeSet>& sets, const std::string& version) {
  if (sets.empty()) return refuse("no IP ranges specified");
  for (std::size_t i = 0; i < sets.size(); ++i)
    for (std::size_t k = i + 1; k < sets.size(); ++k)
      if (overlap(sets[i], sets[k]))
        return refuse("range set " + std::to_string(i) + " overlaps with " + std::to_string(k));
  const auto ipv4 = std::count_if(sets.begin(), sets.end(),
                                  [](const RangeSet& set) { return set[0].start.is_v4(); });
  const auto ipv6 = static_cast<std::ptrdiff_t>(sets.size()) - ipv4;
  return check_addresses_per_family(static_cast<std::size_t>(ipv4), static_cast<std::size_t>(ipv6),
                                    version);
}

}  // namespace

CniResult<HostLocalConfig> read_host_local_config(const Call& call) {
  HostLocalConfig config;
  ObjectReader top(call.config, "network config");
  ASSIGN_OR_RETURN(const Json* ipam, ipam_object(call.config));
  ObjectReader inside(*ipam, "ipam");
  config.place = host_local_place(call.config);
  inside.read("resolvConf", config.resolv_conf);
  RETURN_IF_ERROR(read_requested(call, top, config.requested));
  RETURN_IF_ERROR(read_sets(top, *ipam, inside, config.sets));
  ASSIGN_OR_RETURN(config.routes, read_routes(inside.array("routes"), "ipam.routes"));
  RETURN_IF_ERROR(inside.finish());
  RETURN_IF_ERROR(top.finish());
  RETURN_IF_ERROR(check_sets(config.sets, call.version));
  return config;
}

HostLocalPlace host_local_place(const Json& config) {
  HostLocalPlace place;
  const Json* ipam = find_member(config, "ipam");
  if (ipam == nullptr || !ipam->is_object()) return place;
  std::string folder;
  ObjectReader(*ipam, "ipam").read("dataDir", folder);
  if (!folder.empty()) place.data_dir = folder;
  ObjectReader(*ipam, "ipam").read("releaseAfterReboot", place.release_after_reboot);
  return place;
}

Dns parse_resolv_conf(std::string_view text) {
  Dns dns;
  for (const auto& line : split(text, '\n')) {
    std::vector<std::string> words;
    for (const auto& part : split(line, ' '))
      for (const auto& word : split(part, '\t'))
        if (const auto bare = trim(word); !bare.empty()) words.emplace_back(bare);
    if (words.size() < 2 || words[0][0] == '#' || words[0][0] == ';') continue;
    if (words[0] == "nameserver") dns.nameservers.push_back(words[1]);
    if (words[0] == "domain") dns.domain = words[1];
    if (words[0] == "search") dns.search.insert(dns.search.end(), words.begin() + 1, words.end());
    if (words[0] == "options")
      dns.options.insert(dns.options.end(), words.begin() + 1, words.end());
  }
  return dns;
}

}  // namespace weft::cni
