#include "dns/plugin_options.h"

#include <algorithm>
#include <functional>

#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

constexpr std::uint16_t kHealthPort = 8080;
constexpr std::uint16_t kReadyPort = 8181;
constexpr std::uint16_t kMetricsPort = 9153;

// A plugin, and what reads its line into the options of its block.
struct PluginReader {
  std::string name;
  std::function<Status(const CorefileLine&, BlockOptions&)> read;
  bool is_repeatable = false;
};

// A plugin that is there or not.
PluginReader flag(std::string name, bool BlockOptions::*target) {
  return {std::move(name), [target](const CorefileLine& plugin, BlockOptions& block) -> Status {
            RETURN_IF_ERROR(expect_words(plugin, 0, 0));
            RETURN_IF_ERROR(expect_no_block(plugin));
            block.*target = true;
            return {};
          }};
}

// A plugin that is an address, of this host where the line does not name one.
PluginReader address(std::string name, std::optional<ListenAddress> BlockOptions::*target,
                     const char* default_host, std::uint16_t port) {
  return {std::move(name),
          [target, default_host, port](const CorefileLine& plugin, BlockOptions& block) -> Status {
            RETURN_IF_ERROR(expect_words(plugin, 0, 1));
            RETURN_IF_ERROR(expect_no_block(plugin));
            const std::string word = plugin.words.empty() ? default_host : plugin.words[0];
            ASSIGN_OR_RETURN(block.*target, address_in(plugin, word, port));
            return {};
          }};
}

// A plugin that a block has once, and one that it may have several times.
template <class Options>
PluginReader one(std::string name, std::optional<Options> BlockOptions::*target,
                 Result<Options> (*read)(const CorefileLine&)) {
  return {std::move(name),
          [target, read](const CorefileLine& plugin, BlockOptions& block) -> Status {
            ASSIGN_OR_RETURN(block.*target, read(plugin));
            return {};
          }};
}
template <class Options>
PluginReader some(std::string name, std::vector<Options> BlockOptions::*target,
                  Result<Options> (*read)(const CorefileLine&)) {
  return {std::move(name),
          [target, read](const CorefileLine& plugin, BlockOptions& block) -> Status {
            ASSIGN_OR_RETURN(Options options, read(plugin));
            (block.*target).push_back(std::move(options));
            return {};
          },
          true};
}

std::vector<Name> names_of(const BlockOptions& block) {
  std::vector<Name> names;
  for (const CorefileZone& zone : block.zones)
    names.insert(names.end(), zone.names.begin(), zone.names.end());
  return names;
}

// Repeated errors are told once and then now and again anyway.
Status read_errors(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 1));
  const auto ignored = [](const CorefileLine&) -> Status { return {}; };
  RETURN_IF_ERROR(
      read_options(plugin, {{"consolidate", 2, 3, ignored}, {"stacktrace", 0, 0, ignored}}));
  block.errors = true;
  return {};
}

Status take_classes(const CorefileLine& line, LogOptions::Classes& classes) {
  classes = {};
  for (const std::string& word : line.words) {
    const bool is_all = word == "all";
    if (!is_all && word != "success" && word != "denial" && word != "error")
      return line.fault("log: there is no class " + shown(word) +
                        did_you_mean(word, {"all", "success", "denial", "error"}));
    classes.success = classes.success || is_all || word == "success";
    classes.denial = classes.denial || is_all || word == "denial";
    classes.error = classes.error || is_all || word == "error";
  }
  return {};
}

// log [NAMES...] [FORMAT]: a format has words of its own, in braces.
Status read_log(const CorefileLine& plugin, BlockOptions& block) {
  LogOptions log;
  CorefileLine names = plugin;
  if (!names.words.empty() && names.words.back().find('{') != std::string::npos) {
    log.format = names.words.back();
    names.words.pop_back();
  }
  ASSIGN_OR_RETURN(log.zones, zones_in(names, 0));
  RETURN_IF_ERROR(read_options(plugin, {{"class", 1, kAnyNumber, [&](const CorefileLine& line) {
                                           return take_classes(line, log.classes);
                                         }}}));
  block.log = std::move(log);
  return {};
}

Status read_bind(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 1, kAnyNumber));
  RETURN_IF_ERROR(expect_no_block(plugin));
  block.bind.insert(block.bind.end(), plugin.words.begin(), plugin.words.end());
  return {};
}

Status read_bufsize(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 1));
  RETURN_IF_ERROR(expect_no_block(plugin));
  if (plugin.words.empty()) return {};
  constexpr unsigned kMost = 4096;
  ASSIGN_OR_RETURN(const unsigned size, number_in(plugin, plugin.words[0], kPlainUdpSize, kMost));
  block.udp_size = static_cast<std::uint16_t>(size);
  return {};
}

Status read_health(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 1));
  HealthOptions health;
  const std::string word = plugin.words.empty() ? "" : plugin.words[0];
  ASSIGN_OR_RETURN(health.address, address_in(plugin, word, kHealthPort));
  RETURN_IF_ERROR(read_options(plugin, {{"lameduck", 1, 1, [&](const CorefileLine& line) -> Status {
                                           ASSIGN_OR_RETURN(health.lameduck,
                                                            duration_in(line, line.words[0]));
                                           return {};
                                         }}}));
  block.health = health;
  return {};
}

Status read_reload(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 2));
  RETURN_IF_ERROR(expect_no_block(plugin));
  ReloadOptions reload;
  if (!plugin.words.empty()) {
    ASSIGN_OR_RETURN(reload.interval, duration_in(plugin, plugin.words[0]));
    reload.jitter = reload.interval / 2;
  }
  if (plugin.words.size() > 1) {
    ASSIGN_OR_RETURN(reload.jitter, duration_in(plugin, plugin.words[1]));
  }
  block.reload = reload;
  return {};
}

Status read_loadbalance(const CorefileLine& plugin, BlockOptions& block) {
  RETURN_IF_ERROR(expect_words(plugin, 0, 1));
  RETURN_IF_ERROR(expect_no_block(plugin));
  if (!plugin.words.empty() && plugin.words[0] != "round_robin")
    return plugin.fault("loadbalance: only round_robin is served, not " + shown(plugin.words[0]));
  block.loadbalance = true;
  return {};
}

// Those of the Corefiles of kubeadm, k3s and NodeLocal DNSCache.
const std::vector<PluginReader>& readers() {
  static const std::vector<PluginReader> all = {
      {"errors", read_errors},
      {"log", read_log},
      flag("loop", &BlockOptions::loop),
      flag("any", &BlockOptions::any),
      {"loadbalance", read_loadbalance},
      {"bind", read_bind, true},
      {"bufsize", read_bufsize},
      {"health", read_health},
      address("ready", &BlockOptions::ready, "", kReadyPort),
      address("prometheus", &BlockOptions::prometheus, "localhost", kMetricsPort),
      {"reload", read_reload},
      one("cache", &BlockOptions::cache, read_cache),
      one("hosts", &BlockOptions::hosts, read_hosts),
      {"kubernetes",
       [](const CorefileLine& plugin, BlockOptions& block) -> Status {
         ASSIGN_OR_RETURN(block.kubernetes, read_kubernetes(plugin, names_of(block)));
         return {};
       }},
      one("header", &BlockOptions::header, read_header),
      some("acl", &BlockOptions::acl, read_acl),
      some("transfer", &BlockOptions::transfers, read_transfer),
      some("rewrite", &BlockOptions::rewrites, read_rewrite),
      some("template", &BlockOptions::templates, read_template),
      some("forward", &BlockOptions::forward, read_forward),
  };
  return all;
}

// Of CoreDNS too, but of no use in a cluster, or not served.
const std::vector<std::string> kElsewhere = {
    "auto",     "autopath",     "azure",  "cancel",   "chaos",   "clouddns",    "debug",
    "dns64",    "dnssec",       "dnstap", "erratic",  "etcd",    "file",        "geoip",
    "grpc",     "k8s_external", "local",  "metadata", "minimal", "multisocket", "nomad",
    "nsid",     "pprof",        "quic",   "root",     "route53", "secondary",   "sign",
    "timeouts", "tls",          "trace",  "tsig",     "view",    "whoami"};

Failure unknown(const CorefileLine& plugin) {
  const std::vector<std::string> names = plugin_names();
  if (std::find(kElsewhere.begin(), kElsewhere.end(), plugin.name) != kElsewhere.end())
    return plugin.fault("the plugin " + plugin.name + " of CoreDNS is not served here");
  return plugin.fault("there is no plugin " + shown(plugin.name) +
                      did_you_mean(plugin.name, names));
}

Status read_plugin(const CorefileLine& plugin, std::vector<std::string>& seen,
                   BlockOptions& block) {
  const auto reader = std::find_if(readers().begin(), readers().end(),
                                   [&](const auto& each) { return each.name == plugin.name; });
  if (reader == readers().end()) return unknown(plugin);
  const bool is_repeated = std::find(seen.begin(), seen.end(), plugin.name) != seen.end();
  if (is_repeated && !reader->is_repeatable)
    return plugin.fault("the server block has the plugin " + plugin.name + " already");
  seen.push_back(plugin.name);
  return reader->read(plugin, block);
}

}  // namespace

std::vector<std::string> plugin_names() {
  std::vector<std::string> names;
  for (const PluginReader& reader : readers()) names.push_back(reader.name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<BlockOptions>> read_plugins(const Corefile& file) {
  std::vector<BlockOptions> blocks;
  for (const CorefileBlock& parsed : file) {
    BlockOptions block{.zones = parsed.zones};
    std::vector<std::string> seen;
    for (const CorefileLine& plugin : parsed.plugins)
      RETURN_IF_ERROR(read_plugin(plugin, seen, block));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace weft::dns
