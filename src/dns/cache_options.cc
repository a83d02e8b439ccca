// The plugin `cache`.
#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

constexpr unsigned kMostEntries = 10'000'000;
constexpr unsigned kLongestTtl = 7 * 24 * 3600;
constexpr std::chrono::minutes kLongestFailure{5};

// success|denial CAPACITY [TTL] [MINTTL]
Status take_part(const CorefileLine& line, CacheOptions::Part& part) {
  ASSIGN_OR_RETURN(part.capacity, number_in(line, line.words[0], 1, kMostEntries));
  if (line.words.size() > 1) {
    ASSIGN_OR_RETURN(const unsigned ttl, number_in(line, line.words[1], 1, kLongestTtl));
    part.longest = std::chrono::seconds(ttl);
  }
  if (line.words.size() > 2) {
    ASSIGN_OR_RETURN(const unsigned ttl, number_in(line, line.words[2], 0, kLongestTtl));
    part.shortest = std::chrono::seconds(ttl);
  }
  return {};
}

// prefetch AMOUNT [[DURATION] [PERCENTAGE%]]
Status take_prefetch(const CorefileLine& line, CacheOptions::Prefetch& prefetch) {
  ASSIGN_OR_RETURN(prefetch.amount, number_in(line, line.words[0], 0, kMostEntries));
  if (line.words.size() > 1) {
    ASSIGN_OR_RETURN(prefetch.pause, duration_in(line, line.words[1]));
  }
  if (line.words.size() > 2) {
    const std::string& word = line.words[2];
    if (!word.ends_with('%')) return line.fault("cache: " + shown(word) + " has no percent sign");
    constexpr unsigned kLeast = 10;
    constexpr unsigned kMost = 90;
    ASSIGN_OR_RETURN(prefetch.percentage,
                     number_in(line, word.substr(0, word.size() - 1), kLeast, kMost));
  }
  return {};
}

// serve_stale [DURATION] [immediate|verify]
Status take_serve_stale(const CorefileLine& line, CacheOptions& options) {
  options.serve_stale = std::chrono::hours(1);
  for (const std::string& word : line.words) {
    if (word == "immediate" || word == "verify") {
      options.verify_stale = word == "verify";
      continue;
    }
    ASSIGN_OR_RETURN(options.serve_stale, duration_in(line, word));
  }
  return {};
}

Status take_failures(const CorefileLine& line, CacheOptions& options) {
  ASSIGN_OR_RETURN(options.failures, duration_in(line, line.words[0]));
  if (options.failures > kLongestFailure)
    return line.fault("cache: a failure may be kept for five minutes at most");
  return {};
}

// disable success|denial [ZONES...]
Status take_disable(const CorefileLine& line, CacheOptions& options) {
  const std::string& which = line.words[0];
  if (which != "success" && which != "denial")
    return line.fault("cache: disable takes success or denial, not " + shown(which) +
                      did_you_mean(which, {"success", "denial"}));
  ASSIGN_OR_RETURN(std::vector<Name> zones, zones_in(line, 1));
  if (zones.empty()) zones.emplace_back();
  (which == "success" ? options.success : options.denial).disabled = std::move(zones);
  return {};
}

// cache [TTL] [ZONES...]
Status take_words(const CorefileLine& plugin, CacheOptions& options) {
  std::size_t zones_from = 0;
  if (!plugin.words.empty() && parse_number(plugin.words[0])) {
    ASSIGN_OR_RETURN(const unsigned ttl, number_in(plugin, plugin.words[0], 1, kLongestTtl));
    options.success.longest = options.denial.longest = std::chrono::seconds(ttl);
    zones_from = 1;
  }
  ASSIGN_OR_RETURN(options.zones, zones_in(plugin, zones_from));
  return {};
}

}  // namespace

Result<CacheOptions> read_cache(const CorefileLine& plugin) {
  CacheOptions options;
  RETURN_IF_ERROR(take_words(plugin, options));
  const auto keep_ttl = [&](const CorefileLine&) -> Status {
    options.keep_ttl = true;
    return {};
  };
  RETURN_IF_ERROR(read_options(
      plugin,
      {{"success", 1, 3, [&](const CorefileLine& l) { return take_part(l, options.success); }},
       {"denial", 1, 3, [&](const CorefileLine& l) { return take_part(l, options.denial); }},
       {"prefetch", 1, 3,
        [&](const CorefileLine& l) { return take_prefetch(l, options.prefetch); }},
       {"serve_stale", 0, 2, [&](const CorefileLine& l) { return take_serve_stale(l, options); }},
       {"servfail", 1, 1, [&](const CorefileLine& l) { return take_failures(l, options); }},
       {"disable", 1, kAnyNumber, [&](const CorefileLine& l) { return take_disable(l, options); }},
       {"keepttl", 0, 0, keep_ttl}}));
  return options;
}

}  // namespace weft::dns
