// plugin_options.h: what a Corefile's plugins are told, as values.
//
// These are the plugins of the Corefiles that kubeadm, k3s and NodeLocal DNSCache write. Defaults
// are CoreDNS's. Pure: files that are named here are read by whoever acts on it.
//
// Source: coredns.io/plugins.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "dns/cluster_zone.h"
#include "dns/corefile.h"
#include "dns/flag_changes.h"
#include "dns/listen_address.h"
#include "dns/name.h"
#include "dns/protocol.h"
#include "dns/rewrite.h"
#include "dns/template_text.h"

namespace weft::dns {

/// Zones below which a name that a plugin does not find is left to the next one.
using Fallthrough = std::vector<Name>;

struct KubernetesOptions {
  ZoneOptions zone = {};
  Fallthrough fallthrough = {};
  std::string api_url = {};     ///< `endpoint`; empty: that of the pod's service account
  std::string kubeconfig = {};  ///< a file
  std::string context = {};     ///< of it; empty: its current one
  /// `tls`: files for a connection to `endpoint`.
  std::string certificate_file = {};
  std::string key_file = {};
  std::string ca_file = {};
  std::string label_selector = {};
  std::string namespace_label_selector = {};
  /// How long the start waits for the first list before it serves without.
  std::chrono::milliseconds startup_timeout{5'000};
};

struct Upstream {
  enum class Transport : std::uint8_t { kPlain, kTls };
  Transport transport = Transport::kPlain;
  ListenAddress address = {};
  std::string tls_name = {};  ///< "tls://9.9.9.9%dns.quad9.net"
  auto operator<=>(const Upstream&) const = default;
};

struct ForwardOptions {
  enum class Policy : std::uint8_t { kRandom, kRoundRobin, kSequential };
  Name from = {};
  std::vector<Upstream> upstreams = {};
  std::vector<std::string> resolv_files = {};  ///< whose nameservers are upstreams too
  std::vector<Name> except = {};
  bool force_tcp = false;
  bool prefer_udp = false;
  std::chrono::milliseconds expire{10'000};  ///< of an idle connection
  unsigned max_fails = 2;
  std::string tls_name = {};
  std::vector<std::string> tls_files = {};  ///< none, CA, CERT KEY or CERT KEY CA
  Policy policy = Policy::kRandom;
  std::chrono::milliseconds health_check{500};
  bool health_check_recursion = true;
  Name health_check_name = {};
  unsigned max_concurrent = 0;  ///< 0: as many as the table of queries holds
  std::vector<Rcode> next = {};
  std::vector<Rcode> failover = {};
  bool failfast = false;  ///< failfast_all_unhealthy_upstreams
};

struct CacheOptions {
  struct Part {
    unsigned capacity = 9984;
    std::chrono::seconds longest{0};
    std::chrono::seconds shortest{5};
    std::vector<Name> disabled = {};  ///< zones whose answers are not kept
    bool operator==(const Part&) const = default;
  };
  struct Prefetch {
    unsigned amount = 0;  ///< 0: never
    std::chrono::milliseconds pause{60'000};
    unsigned percentage = 10;
  };
  std::vector<Name> zones = {};  ///< empty: those of the block
  Part success{.longest = std::chrono::seconds(3600)};
  Part denial{.longest = std::chrono::seconds(1800)};
  Prefetch prefetch = {};
  std::optional<std::chrono::milliseconds> serve_stale = {};
  bool verify_stale = false;
  std::chrono::milliseconds failures{5'000};  ///< `servfail`
  bool keep_ttl = false;
};

struct HostsOptions {
  std::string file = "/etc/hosts";
  std::vector<std::string> lines = {};  ///< inline
  std::vector<Name> zones = {};         ///< empty: those of the block
  std::chrono::seconds ttl{3600};
  std::chrono::milliseconds reload{5'000};  ///< 0: never
  bool reverse = true;
  std::optional<Fallthrough> fallthrough = {};
};

/// Who may have zones as a whole.
struct TransferOptions {
  std::vector<Name> zones = {};  ///< empty: those of the block
  bool to_all = false;
  std::vector<Prefix> to = {};
};

/// One line of `acl`: who may ask what.
struct AclRule {
  enum class Action : std::uint8_t {
    kAllow,
    kBlock,   ///< is refused
    kFilter,  ///< gets an answer without records
    kDrop,    ///< gets no answer
  };
  Action action = Action::kAllow;
  std::vector<RecordType> types = {};  ///< empty: of every type
  std::vector<Prefix> sources = {};    ///< of clients; empty: everybody
};

struct AclOptions {
  std::vector<Name> zones = {};     ///< empty: those of the block
  std::vector<AclRule> rules = {};  ///< the first that fits counts
};

struct TemplateOptions {
  struct Reason {
    ExtendedError error = ExtendedError::kOther;
    std::string text = {};
  };
  std::vector<Name> zones = {};        ///< empty: those of the block
  RecordType type = RecordType::kAny;  ///< kAny: every type
  std::vector<Pattern> matches = {};   ///< of names in small letters; empty: every name
  std::vector<TemplateText> answers = {};
  std::vector<TemplateText> additionals = {};
  std::vector<TemplateText> authorities = {};
  Rcode rcode = Rcode::kNoError;
  std::optional<Reason> reason = {};  ///< `ederror`
  Fallthrough fallthrough = {};       ///< below these, a name that does not match is left alone
};

struct LogOptions {
  struct Classes {
    bool success = false;  ///< answers with data
    bool denial = false;   ///< NXDOMAIN and NODATA
    bool error = false;    ///< everything else
    bool operator==(const Classes&) const = default;
  };
  std::vector<Name> zones = {};  ///< empty: those of the block
  std::string format = {};       ///< empty: CoreDNS's common one
  Classes classes = {.success = true, .denial = true, .error = true};
};

struct HealthOptions {
  ListenAddress address{.address = IpAddress::any(Family::kIpv6), .port = 8080};
  std::chrono::milliseconds lameduck{0};
};

struct ReloadOptions {
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds jitter{15'000};
};

/// One server block, whose plugins are asked in an order of their own, whatever the file's is.
struct BlockOptions {
  std::vector<CorefileZone> zones = {};
  std::vector<std::string> bind = {};  ///< addresses or devices; empty: everywhere
  bool errors = false;
  bool loop = false;
  bool loadbalance = false;
  bool any = false;
  std::uint16_t udp_size = kUdpSize;  ///< `bufsize`
  std::optional<LogOptions> log = {};
  std::optional<ReloadOptions> reload = {};
  std::optional<HealthOptions> health = {};
  std::optional<ListenAddress> ready = {};
  std::optional<ListenAddress> prometheus = {};
  std::optional<CacheOptions> cache = {};
  std::optional<HostsOptions> hosts = {};
  std::optional<KubernetesOptions> kubernetes = {};
  std::optional<FlagChanges> header = {};
  std::vector<AclOptions> acl = {};
  std::vector<TransferOptions> transfers = {};
  std::vector<RewriteRule> rewrites = {};  ///< in order
  std::vector<TemplateOptions> templates = {};
  std::vector<ForwardOptions> forward = {};
};

/// Reads the plugins of a Corefile. What is not known is named with its line and the nearest that
/// is; of CoreDNS's plugins that are not served here it is said that they are CoreDNS's.
Result<std::vector<BlockOptions>> read_plugins(const Corefile& file);

/// Those that a Corefile may name, in alphabetical order.
std::vector<std::string> plugin_names();

// One plugin each; `zones` are those of its block.
Result<KubernetesOptions> read_kubernetes(const CorefileLine& plugin,
                                          const std::vector<Name>& zones);
Result<ForwardOptions> read_forward(const CorefileLine& plugin);
Result<CacheOptions> read_cache(const CorefileLine& plugin);
Result<HostsOptions> read_hosts(const CorefileLine& plugin);
Result<AclOptions> read_acl(const CorefileLine& plugin);
Result<TransferOptions> read_transfer(const CorefileLine& plugin);
Result<FlagChanges> read_header(const CorefileLine& plugin);
Result<TemplateOptions> read_template(const CorefileLine& plugin);
Result<RewriteRule> read_rewrite(const CorefileLine& plugin);

}  // namespace weft::dns
