// The plugin `kubernetes`.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

constexpr unsigned kLongestTtl = 3600;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Status take_pods(const CorefileLine& line, ZoneOptions& zone) {
  const std::string& mode = line.words[0];
  if (mode == "disabled") zone.pods = PodRecords::kDisabled;
  if (mode == "insecure") zone.pods = PodRecords::kInsecure;
  if (mode == "disabled" || mode == "insecure") return {};
  if (mode == "verified")
    return line.fault("kubernetes: pods verified is not served", "set pods insecure or disabled");
  return line.fault("kubernetes: pods has no mode " + shown(mode) +
                    did_you_mean(mode, {"disabled", "insecure"}));
}

Status take_ignore(const CorefileLine& line, ZoneOptions& zone) {
  if (line.words[0] != "empty_service")
    return line.fault("kubernetes: only empty_service can be ignored, not " + shown(line.words[0]));
  zone.ignore_empty_service = true;
  return {};
}

Status take_tls(const CorefileLine& line, KubernetesOptions& options) {
  options.certificate_file = line.words[0];
  options.key_file = line.words[1];
  options.ca_file = line.words[2];
  return {};
}

// A flag: what stands there is all that it says.
PluginOption flag(std::string name, bool& target, bool value) {
  return {std::move(name), 0, 0, [&target, value](const CorefileLine&) -> Status {
            target = value;
            return {};
          }};
}

std::vector<PluginOption> option_table(KubernetesOptions& options) {
  ZoneOptions& zone = options.zone;
  const auto ignored = [](const CorefileLine&) -> Status { return {}; };
  return {
      {"pods", 1, 1, [&](const CorefileLine& line) { return take_pods(line, zone); }},
      {"ttl", 1, 1,
       [&](const CorefileLine& line) -> Status {
         ASSIGN_OR_RETURN(zone.ttl, number_in(line, line.words[0], 0, kLongestTtl));
         return {};
       }},
      {"fallthrough", 0, kAnyNumber,
       [&](const CorefileLine& line) -> Status {
         ASSIGN_OR_RETURN(options.fallthrough, fallthrough_in(line));
         return {};
       }},
      {"namespaces", 1, kAnyNumber,
       [&](const CorefileLine& line) -> Status {
         zone.namespaces.insert(line.words.begin(), line.words.end());
         return {};
       }},
      {"labels", 1, kAnyNumber,
       [&](const CorefileLine& line) -> Status {
         options.label_selector = joined(line.words);
         return {};
       }},
      {"namespace_labels", 1, kAnyNumber,
       [&](const CorefileLine& line) -> Status {
         options.namespace_label_selector = joined(line.words);
         zone.listed_namespaces_only = true;
         return {};
       }},
      {"ignore", 1, 1, [&](const CorefileLine& line) { return take_ignore(line, zone); }},
      flag("endpoint_pod_names", zone.endpoint_pod_names, true),
      flag("noendpoints", zone.endpoints, false),
      {"endpoint", 1, 1,
       [&](const CorefileLine& line) -> Status {
         options.api_url = line.words[0];
         return {};
       }},
      {"tls", 3, 3, [&](const CorefileLine& line) { return take_tls(line, options); }},
      {"kubeconfig", 1, 2,
       [&](const CorefileLine& line) -> Status {
         options.kubeconfig = line.words[0];
         if (line.words.size() == 2) options.context = line.words[1];
         return {};
       }},
      {"startup_timeout", 1, 1,
       [&](const CorefileLine& line) -> Status {
         ASSIGN_OR_RETURN(options.startup_timeout, duration_in(line, line.words[0]));
         return {};
       }},
      // Limits of the API's client, which here is one connection a kind.
      {"apiserver_qps", 1, 1, ignored},
      {"apiserver_burst", 1, 1, ignored},
      {"apiserver_max_inflight", 1, 1, ignored},
  };
}

}  // namespace

Result<KubernetesOptions> read_kubernetes(const CorefileLine& plugin,
                                          const std::vector<Name>& zones) {
  KubernetesOptions options;
  ASSIGN_OR_RETURN(std::vector<Name> names, zones_in(plugin, 0));
  if (names.empty()) names = zones;
  for (const Name& name : names) options.zone.zones.push_back(ServedZone::of(name));
  if (primary_zone(options.zone) == nullptr)
    return plugin.fault("kubernetes has reverse zones only",
                        "name the cluster's domain in front of them, like cluster.local");
  RETURN_IF_ERROR(read_options(plugin, option_table(options)));
  if (!options.zone.namespaces.empty() && !options.namespace_label_selector.empty())
    return plugin.fault("kubernetes takes namespaces or namespace_labels, not both");
  return options;
}

}  // namespace weft::dns
