#include "cluster/resolv_conf.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace weft {
namespace {

// What glibc reads, and what the API and the kubelet allow.
constexpr std::size_t kMostServers = 3;
constexpr std::size_t kMostSearches = 32;
constexpr std::size_t kLongestSearches = 2048;  // bytes, with the blanks between them
constexpr std::size_t kLongestDomain = 253;     // older glibc ends the program on a longer one
constexpr std::size_t kLargestFile = 10U << 20U;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line) {
    if (std::string_view(" \t\r\f\v").find(c) == std::string_view::npos) {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// "a.b." is "a.b", but the root stays what it is.
std::string without_final_dot(const std::string& domain) {
  return domain.size() > 1 && domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain;
}

// A part of the file, with its reason.
struct Entry {
  std::string text;
  std::string reason;
};
using Entries = std::vector<Entry>;

bool contains(const Entries& entries, const std::string& text) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return entry.text == text; });
}

// The first of several equal ones stays.
void add(Entries& entries, const std::string& text, const std::string& reason) {
  if (!contains(entries, text)) entries.push_back({text, reason});
}

std::string option_name(const std::string& option) {
  return option.substr(0, option.find(':'));
}

class Composer {
 public:
  Composer(const PodDns& pod, const NodeDns& node) : pod_(pod), node_(node) {}

  PodResolvConf compose() {
    const DnsPolicy policy = effective_policy();
    if (policy == DnsPolicy::kClusterFirst) add_cluster();
    if (policy == DnsPolicy::kDefault) add_host();
    add_pods_own();
    drop_root_search();
    apply_limits();
    return finish();
  }

 private:
  void warn(std::string what) { result_.warnings.push_back(std::move(what)); }

  // kClusterFirst, kDefault or kNone.
  DnsPolicy effective_policy() {
    DnsPolicy policy = pod_.policy;
    if (policy == DnsPolicy::kClusterFirst && pod_.host_network) policy = DnsPolicy::kDefault;
    if (policy == DnsPolicy::kClusterFirstWithHostNet) policy = DnsPolicy::kClusterFirst;
    if (policy == DnsPolicy::kClusterFirst && node_.cluster_dns.empty()) {
      warn(
          "MissingClusterDNS: the node knows no address of the cluster's DNS, so the pod gets the "
          "node's servers");
      policy = DnsPolicy::kDefault;
    }
    return policy;
  }

  void add_cluster() {
    for (const IpAddress& address : node_.cluster_dns)
      add(servers_, address.to_string(), "the cluster's DNS");
    const std::string& domain = node_.cluster_domain;
    if (!domain.empty()) {
      const std::string reason = "the cluster's domain";
      for (const std::string& each : {pod_.ns + ".svc." + domain, "svc." + domain, domain})
        add(searches_, each, reason);
    }
    if (node_.host)
      for (const std::string& domain_of_host : node_.host->searches)
        add(searches_, domain_of_host, "the node's resolv.conf");
    options_.push_back({"ndots:5", "names of services have up to four dots"});
  }

  void add_host() {
    if (!node_.host) {
      for (const Family family : node_.families)
        add(servers_, family == Family::kIpv4 ? "127.0.0.1" : "::1",
            "the kubelet was given no resolv.conf");
      return;
    }
    for (const std::string& server : node_.host->servers) add_host_server(server);
    for (const std::string& domain : node_.host->searches)
      add(searches_, domain, "the node's resolv.conf");
    for (const std::string& option : node_.host->options)
      options_.push_back({option, "the node's resolv.conf"});
  }

  // A stub like systemd-resolved's is in the node's namespace, and not in the pod's.
  void add_host_server(const std::string& server) {
    const auto address = IpAddress::parse(server);
    if (!address || !address->is_loopback() || pod_.host_network)
      return add(servers_, server, "the node's resolv.conf");
    if (!node_.host_view)
      return warn("the node's server " + server + " is left out: a pod cannot reach it");
    add(servers_, node_.host_view->to_string(),
        "in the place of the node's " + server + ", which a pod cannot reach");
  }

  void add_pods_own() {
    const std::string reason = "the pod's dnsConfig";
    for (const std::string& server : pod_.servers) add(servers_, server, reason);
    for (const std::string& domain : pod_.searches)
      add(searches_, without_final_dot(domain), reason);
    for (const DnsOption& option : pod_.options) {
      const std::string text = option.name + (option.value ? ":" + *option.value : "");
      const auto same = std::find_if(options_.begin(), options_.end(), [&](const Entry& entry) {
        return option_name(entry.text) == option.name;
      });
      if (same == options_.end())
        options_.push_back({text, reason});
      else
        *same = {text, reason};
    }
  }

  // musl takes "." for a domain and finds nothing any more.
  void drop_root_search() {
    if (searches_.size() > 1 &&
        std::erase_if(searches_, [](const Entry& e) { return e.text == "."; }))
      warn("the search domain \".\" is left out: the C library of some images fails on it");
  }

  void apply_limits() {
    if (servers_.size() > kMostServers) {
      warn("DNSConfigForming: only three nameservers are used, " +
           describe(servers_, kMostServers) + " left out");
      servers_.resize(kMostServers);
    }
    for (const Entry& entry : searches_)
      if (entry.text.size() > kLongestDomain)
        warn("DNSConfigForming: the search domain " + shown(entry.text) + " is too long, left out");
    std::erase_if(searches_, [](const Entry& entry) { return entry.text.size() > kLongestDomain; });
    std::size_t kept = std::min(searches_.size(), kMostSearches);
    while (joined_size(kept) > kLongestSearches) --kept;
    if (kept < searches_.size()) {
      warn("DNSConfigForming: the search domains are too many or too long, " +
           describe(searches_, kept) + " left out");
      searches_.resize(kept);
    }
  }

  static std::string describe(const Entries& entries, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < entries.size(); ++i)
      text += (text.empty() ? "" : ", ") + shown(entries[i].text);
    return text + (entries.size() - from == 1 ? " is" : " are");
  }

  std::size_t joined_size(std::size_t count) const {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size += (i == 0 ? 0 : 1) + searches_[i].text.size();
    return size;
  }

  PodResolvConf finish() {
    const auto take = [&](const Entries& entries, const char* keyword,
                          std::vector<std::string>& target) {
      for (const Entry& entry : entries) {
        target.push_back(entry.text);
        result_.lines.push_back({std::string(keyword) + " " + entry.text, entry.reason});
      }
    };
    take(servers_, "nameserver", result_.file.servers);
    take(searches_, "search", result_.file.searches);
    take(options_, "options", result_.file.options);
    return std::move(result_);
  }

  const PodDns& pod_;
  const NodeDns& node_;
  Entries servers_;
  Entries searches_;
  Entries options_;
  PodResolvConf result_;
};

std::string line_of(const char* keyword, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::string line = keyword;
  for (const std::string& word : words) line += " " + word;
  return line + "\n";
}

}  // namespace

Result<ResolvConf> parse_resolv_conf(std::string_view text) {
  if (text.size() > kLargestFile) return fail("a resolv.conf of more than 10 MB");
  ResolvConf file;
  for (const std::string& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const auto words = words_of(line);
    if (words.empty()) continue;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (words[0] == "nameserver") {
      if (rest.empty()) return fail("a nameserver line without an address");
      file.servers.push_back(rest[0]);
    }
    if (words[0] == "search") {
      file.searches.clear();
      for (const std::string& domain : rest) file.searches.push_back(without_final_dot(domain));
    }
    if (words[0] == "options") file.options = rest;
  }
  return file;
}

std::string_view to_string(DnsPolicy policy) {
  switch (policy) {
    case DnsPolicy::kClusterFirst:
      break;
    case DnsPolicy::kClusterFirstWithHostNet:
      return "ClusterFirstWithHostNet";
    case DnsPolicy::kDefault:
      return "Default";
    case DnsPolicy::kNone:
      return "None";
  }
  return "ClusterFirst";
}

std::optional<DnsPolicy> parse_dns_policy(std::string_view text) {
  if (text.empty()) return DnsPolicy::kClusterFirst;
  for (const auto policy : {DnsPolicy::kClusterFirst, DnsPolicy::kClusterFirstWithHostNet,
                            DnsPolicy::kDefault, DnsPolicy::kNone})
    if (text == to_string(policy)) return policy;
  return std::nullopt;
}

PodResolvConf resolv_conf_of(const PodDns& pod, const NodeDns& node) {
  return Composer(pod, node).compose();
}

std::string print_resolv_conf(const ResolvConf& file) {
  std::string text = line_of("search", file.searches);
  for (const std::string& server : file.servers) text += "nameserver " + server + "\n";
  return text + line_of("options", file.options);
}

}  // namespace weft
