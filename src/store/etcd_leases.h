// etcd_leases.h: where flannel's leases stand in etcd, and how all of them are read.
//
//     PREFIX/config           net-conf.json
//     PREFIX/subnets/KEY      a lease's value, attached to an etcd lease; attached to none it is
//                             a reservation
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "store/etcd_client.h"
#include "store/lease_table.h"

namespace weft {

class EtcdLayout {
 public:
  /// Cleans the prefix as Go's path.Join does: no doubled or final slash, no "." and "..".
  explicit EtcdLayout(const std::string& prefix);

  std::string config() const { return prefix_ + "/config"; }
  std::string subnet(const LeaseKey& key) const { return subnets() + key.to_string(); }
  /// With its slash: "/coreos.com/network/subnets/".
  std::string subnets() const { return prefix_ + "/subnets/"; }
  /// Every key below subnets().
  EtcdClient::Range all_subnets() const;
  /// The last part of a key of all_subnets(); nothing for another key.
  std::optional<std::string> name_of(const std::string& key) const;

 private:
  std::string prefix_;
};

/// An entry as a lease or broken. The expiry of a lease stays open: it would be one question
/// to etcd an entry.
LeaseEntry parse_etcd_lease(const std::string& name, const EtcdKeyValue& kv);

/// All leases as of one revision.
struct EtcdLeases {
  LeaseEntries entries;
  std::int64_t revision = 0;
};

/// Reads them in pages of one pinned revision, so that the JSON of a large cluster is never in
/// memory at once.
Result<EtcdLeases> read_etcd_leases(EtcdClient& client, const EtcdLayout& layout,
                                    const std::stop_token& stop);

}  // namespace weft
