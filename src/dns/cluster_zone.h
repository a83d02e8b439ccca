// cluster_zone.h: the names of a cluster at one moment.
//
// A snapshot: nothing in it changes, so that any number of threads may answer from it while the
// next one is made (zone_builder.h). Versions share what did not change. Looking a name up takes
// no lock and allocates nothing.
//
// The records are those of "Kubernetes DNS-Based Service Discovery", schema 1.1.0, and pod records
// of its version 1.0; which names exist follows what clients rely on in CoreDNS: a name with any
// data at all, or with names below it, is never denied.
//
// Source: github.com/kubernetes/dns/blob/master/docs/specification.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_trie.h"
#include "dns/lookup_name.h"
#include "dns/name.h"
#include "dns/service_records.h"
#include "net/address.h"

namespace weft::dns {

enum class PodRecords : std::uint8_t {
  kDisabled,
  kInsecure,  ///< of any address, in a namespace that exists
};

/// A zone with names of Services, or one with reverse names.
struct ServedZone {
  Name name = {};  ///< in small letters
  bool is_reverse = false;
  static ServedZone of(const Name& name);
};

struct ZoneOptions {
  /// The first forward one is what PTR records point into.
  std::vector<ServedZone> zones = {};
  std::uint32_t ttl = 5;  ///< seconds, of all records but those that say otherwise
  PodRecords pods = PodRecords::kDisabled;
  /// Names endpoints without a hostname by their pod.
  bool endpoint_pod_names = false;
  /// Denies a Service that has a cluster address but no ready endpoint.
  bool ignore_empty_service = false;
  /// False: headless Services have no names.
  bool endpoints = true;
  /// Namespaces that nobody has listed have no names, whatever is in them.
  bool listed_namespaces_only = false;
  /// If not empty, the only namespaces with names.
  std::set<std::string, std::less<>> namespaces = {};
  /// Where this server is reached: the addresses of the zone's name server.
  std::vector<IpAddress> local_addresses = {};
};

struct ServiceTraits {
  using Key = std::string_view;
  static Key key(const std::shared_ptr<const ServiceRecords>& service) {
    return service->name_and_namespace();
  }
  static std::uint64_t hash(Key key) { return std::hash<std::string_view>{}(key); }
};
using ServiceTrie = HashTrie<std::shared_ptr<const ServiceRecords>, ServiceTraits>;

/// The Services that an address belongs to: most often one, whose own list this is then.
struct ReverseEntry {
  IpAddress address = {};
  std::shared_ptr<const ServiceKeys> owners = {};
};
struct ReverseTraits {
  using Key = IpAddress;
  static Key key(const ReverseEntry& entry) { return entry.address; }
  static std::uint64_t hash(const Key& key) { return std::hash<IpAddress>{}(key); }
};
using ReverseTrie = HashTrie<ReverseEntry, ReverseTraits>;

using Namespaces = std::set<std::string, std::less<>>;

struct ClusterZone {
  std::shared_ptr<const ZoneOptions> options = std::make_shared<const ZoneOptions>();
  ServiceTrie services = {};
  ReverseTrie reverse = {};
  std::shared_ptr<const Namespaces> namespaces = std::make_shared<const Namespaces>();
  /// Of the SOA record: when something changed last, in Unix time.
  std::uint32_t serial = 0;
  /// False until everything has been read once: until then nobody can say that a name is not
  /// there.
  bool complete = false;
  /// Names are in it that an earlier run knew (zone_snapshot.h), and the cluster has not been read
  /// since.
  bool stale = false;
};

/// What a name is. Refers to the zone and to the name that was looked up.
struct ZoneMatch {
  enum class Kind : std::uint8_t {
    kAbsent,
    kEmpty,       ///< exists for what is below it
    kApex,        ///< the zone itself
    kVersion,     ///< dns-version
    kNameServer,  ///< ns.dns
    kService,
    kEndpoint,  ///< one of a headless Service
    kPod,       ///< an address as a name
    kAddress,   ///< a reverse name
  };
  Kind kind = Kind::kAbsent;
  const ServedZone* zone = nullptr;
  const ServiceRecords* service = nullptr;  ///< of kService and kEndpoint
  WantedPort port = {};                     ///< of kService: of "_http._tcp" in front of it
  std::string_view label = {};              ///< of kEndpoint, behind its length
  IpAddress address = {};                   ///< of kPod and kAddress
  const ServiceKeys* owners = nullptr;      ///< of kAddress
};

/// The longest of the zones that the name is in; nullptr when it is in none.
const ServedZone* zone_of(const ClusterZone& zone, const LookupName& name);

/// REQUIRES that `in` is zone_of() it.
ZoneMatch find(const ClusterZone& zone, const ServedZone& in, const LookupName& name);

/// The Service of that key if it has a name; nullptr otherwise.
const ServiceRecords* find_service(const ClusterZone& zone, std::string_view key);

/// Whether the namespace is there, by a list or by a Service in it, and may have names.
bool has_namespace(const ClusterZone& zone, std::string_view name);

/// The forward zone that PTR records point into; nullptr where there is none.
const ServedZone* primary_zone(const ZoneOptions& options);

}  // namespace weft::dns
