// zone_builder.h: keeps the snapshot of the cluster's names up with the cluster.
//
// Objects come in as values, one by one and in any order; what a name needs of them is kept, and
// nothing else. zone() hands out the snapshot: only what an object changed is made anew, and only
// when somebody asks, so that a burst of changes to one Service costs one rendering.
//
// Of endpoints only those behind headless Services are kept. A slice that says it is of one
// (service.kubernetes.io/headless), or whose Service is not known yet, is kept until its Service
// says otherwise; so Services should be read before slices.
//
// For one thread; what zone() returns is for all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cluster/endpoint_slice.h"
#include "cluster/service.h"
#include "dns/cluster_zone.h"

namespace weft::dns {

class ZoneBuilder {
 public:
  explicit ZoneBuilder(ZoneOptions options);

  /// False when no name changes by it, as for the others.
  bool put(const Service& service);
  bool remove(const ServiceName& service);
  bool put(const EndpointSlice& slice);
  bool remove_slice(const std::string& ns, const std::string& name);
  bool put_namespace(const std::string& name);
  bool remove_namespace(const std::string& name);

  /// After a list: what it did not bring is gone. `named` holds "namespace/name", for namespaces
  /// their names. False when nothing was.
  using Names = std::unordered_set<std::string>;
  bool keep_services(const Names& named);
  bool keep_slices(const Names& named);
  bool keep_namespaces(const Names& named);

  /// From now on a name that is not known is not there.
  void set_complete();
  /// Whether slices of Services with an address count.
  bool counts_endpoints() const { return next_.options->ignore_empty_service; }
  /// Whether there are names of an earlier run among those that it holds.
  void set_stale(bool stale);

  /// The snapshot of everything so far, whose SOA says `now` (Unix time) if something changed.
  std::shared_ptr<const ClusterZone> zone(std::uint32_t now);

  /// What could not be named since the last call, each as one sentence.
  std::vector<std::string> take_faults();

 private:
  // What is kept of a slice.
  struct Slice {
    PortSet ports = {};
    PackedEndpoints endpoints = {};
    bool labelled = false;  // as one of a headless Service
    bool operator==(const Slice&) const = default;
  };
  using Slices = std::map<std::string, Slice>;  // of one Service, by "namespace/name"

  const ServiceRecords* find(const std::string& key) const;
  bool may_have_names(const std::string& ns) const;
  ServiceRecords records_of(const Service& service) const;
  Slice kept_of(const EndpointSlice& slice) const;
  bool is_wanted(const Slice& slice, const ServiceRecords* service) const;
  void drop_unwanted_slices(const std::string& key, const ServiceRecords& service);
  void count_service(const std::string& ns, int change);
  std::shared_ptr<const HeadlessEndpoints> merge(const std::string& key) const;
  void render(const std::string& key);
  void replace(const ServiceRecords* before, ServiceRecords after);
  void index(const ServiceRecords* before, const ServiceRecords* after);
  void own(const IpAddress& address, const std::shared_ptr<const ServiceKeys>& key);
  void disown(const IpAddress& address, const std::string& key);
  void report(std::string fault);

  ClusterZone next_;
  std::shared_ptr<const ClusterZone> published_;
  bool changed_ = true;
  std::unordered_map<std::string, Slices> slices_;       // by the Service's key
  std::unordered_map<std::string, std::string> key_of_;  // of a slice, by "namespace/name"
  std::map<std::string, unsigned> services_in_;          // by namespace
  std::set<std::string> watched_namespaces_;
  bool namespaces_changed_ = false;
  std::set<std::string> stale_;  // keys of Services whose endpoints have changed
  std::vector<std::string> faults_;
};

}  // namespace weft::dns
