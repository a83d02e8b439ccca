// The plugin `forward`.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

constexpr std::size_t kMostUpstreams = 15;
constexpr unsigned kMostConcurrent = 1'000'000;
constexpr std::uint16_t kPort = 53;
constexpr std::uint16_t kTlsPort = 853;

// "tls://9.9.9.9%dns.quad9.net:853", "1.1.1.1", "/etc/resolv.conf".
Status take_target(const CorefileLine& line, const std::string& word, ForwardOptions& options) {
  Upstream upstream;
  std::string rest = word;
  if (const std::size_t end = word.find("://"); end != std::string::npos) {
    const std::string scheme = word.substr(0, end);
    if (scheme == "tls")
      upstream.transport = Upstream::Transport::kTls;
    else if (scheme != "dns")
      return line.fault("forward: " + scheme + ":// is not spoken", "use dns:// or tls://");
    rest = word.substr(end + 3);
  }
  const bool is_tls = upstream.transport == Upstream::Transport::kTls;
  if (!is_tls && rest.starts_with('/')) {
    options.resolv_files.push_back(rest);
    return {};
  }
  if (const std::size_t percent = rest.find('%'); is_tls && percent != std::string::npos) {
    const std::size_t colon = rest.find(':', percent);
    const std::string name = rest.substr(percent, colon - percent);
    upstream.tls_name = name.substr(1);
    rest.erase(percent, name.size());
  }
  ASSIGN_OR_RETURN(upstream.address, address_in(line, rest, is_tls ? kTlsPort : kPort));
  if (upstream.address.address.is_unspecified())
    return line.fault("forward: " + shown(word) + " is nobody's address");
  options.upstreams.push_back(upstream);
  return {};
}

Status take_policy(const CorefileLine& line, ForwardOptions& options) {
  using Policy = ForwardOptions::Policy;
  const std::pair<const char*, Policy> policies[] = {{"random", Policy::kRandom},
                                                     {"round_robin", Policy::kRoundRobin},
                                                     {"sequential", Policy::kSequential}};
  for (const auto& [name, policy] : policies)
    if (line.words[0] == name) {
      options.policy = policy;
      return {};
    }
  return line.fault("forward: there is no policy " + shown(line.words[0]) +
                    did_you_mean(line.words[0], {"random", "round_robin", "sequential"}));
}

// DURATION [no_rec] [domain FQDN]
Status take_health_check(const CorefileLine& line, ForwardOptions& options) {
  ASSIGN_OR_RETURN(options.health_check, duration_in(line, line.words[0]));
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    if (line.words[i] == "no_rec") {
      options.health_check_recursion = false;
      continue;
    }
    const bool is_domain = line.words[i] == "domain" && i + 1 < line.words.size();
    const auto name = is_domain ? Name::parse(line.words[++i]) : std::nullopt;
    if (!name) return line.fault("forward: health_check takes no_rec and domain FQDN");
    options.health_check_name = *name;
  }
  return {};
}

Result<std::vector<Rcode>> rcodes_in(const CorefileLine& line) {
  std::vector<Rcode> rcodes;
  for (const std::string& word : line.words) {
    const auto rcode = parse_rcode(word);
    if (!rcode)
      return line.fault(
          shown(word) + " is no answer's code" +
          did_you_mean(word, {"NXDOMAIN", "SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"}));
    rcodes.push_back(*rcode);
  }
  return rcodes;
}

PluginOption flag(std::string name, bool& target) {
  return {std::move(name), 0, 0, [&target](const CorefileLine&) -> Status {
            target = true;
            return {};
          }};
}

PluginOption duration(std::string name, std::chrono::milliseconds& target) {
  return {std::move(name), 1, 1, [&target](const CorefileLine& line) -> Status {
            ASSIGN_OR_RETURN(target, duration_in(line, line.words[0]));
            return {};
          }};
}

PluginOption number(std::string name, unsigned& target, unsigned most) {
  return {std::move(name), 1, 1, [&target, most](const CorefileLine& line) -> Status {
            ASSIGN_OR_RETURN(target, number_in(line, line.words[0], 0, most));
            return {};
          }};
}

PluginOption rcodes(std::string name, std::vector<Rcode>& target) {
  return {std::move(name), 1, kAnyNumber, [&target](const CorefileLine& line) -> Status {
            ASSIGN_OR_RETURN(target, rcodes_in(line));
            return {};
          }};
}

std::vector<PluginOption> option_table(ForwardOptions& options) {
  const auto ignored = [](const CorefileLine&) -> Status { return {}; };
  return {
      {"except", 1, kAnyNumber,
       [&](const CorefileLine& line) -> Status {
         ASSIGN_OR_RETURN(options.except, zones_in(line, 0));
         return {};
       }},
      flag("force_tcp", options.force_tcp),
      flag("prefer_udp", options.prefer_udp),
      duration("expire", options.expire),
      number("max_fails", options.max_fails, kMostConcurrent),
      number("max_concurrent", options.max_concurrent, kMostConcurrent),
      {"tls", 0, 3,
       [&](const CorefileLine& line) -> Status {
         options.tls_files = line.words;
         return {};
       }},
      {"tls_servername", 1, 1,
       [&](const CorefileLine& line) -> Status {
         options.tls_name = line.words[0];
         return {};
       }},
      {"policy", 1, 1, [&](const CorefileLine& line) { return take_policy(line, options); }},
      {"health_check", 1, 4,
       [&](const CorefileLine& line) { return take_health_check(line, options); }},
      rcodes("next", options.next),
      rcodes("failover", options.failover),
      flag("failfast_all_unhealthy_upstreams", options.failfast),
      // Queries to one upstream share its connections, of which there are few by nature.
      {"max_idle_conns", 1, 1, ignored},
      {"max_connect_attempts", 1, 1, ignored},
  };
}

}  // namespace

Result<ForwardOptions> read_forward(const CorefileLine& plugin) {
  RETURN_IF_ERROR(expect_words(plugin, 2, 1 + kMostUpstreams));
  ForwardOptions options;
  auto from = parse_corefile_zone(plugin.words[0]);
  if (!from) return because(plugin.place() + ": forward", from.error());
  options.from = from->names.front();
  for (std::size_t i = 1; i < plugin.words.size(); ++i)
    RETURN_IF_ERROR(take_target(plugin, plugin.words[i], options));
  RETURN_IF_ERROR(read_options(plugin, option_table(options)));
  const bool has_own_name =
      std::any_of(options.upstreams.begin(), options.upstreams.end(),
                  [](const Upstream& each) { return !each.tls_name.empty(); });
  if (has_own_name && !options.tls_name.empty())
    return plugin.fault(
        "forward: tls_servername and a name behind an upstream's % exclude each other");
  return options;
}

}  // namespace weft::dns
