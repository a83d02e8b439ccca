// etcd_store.h: leases in etcd v3, side by side with flannel's on the same keys.
//
// Every write takes a fresh etcd lease and compares the key's mod_revision; when the
// comparison fails the fresh lease is revoked. The old one runs out empty, as flannel's does.
// A key without an etcd lease is a reservation and stays one when it is replaced without ttl.
// list() and the watch do not know the expiry of leases (etcd would be asked once a key);
// create(), replace() and expiry() do.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "store/etcd_client.h"
#include "store/etcd_leases.h"
#include "store/lease_store.h"

namespace weft {

class EtcdStore : public LeaseStore {
 public:
  /// Refuses options that cannot work; connects to nothing yet. After `stop` every call ends at
  /// once, also one under way.
  static Result<std::unique_ptr<EtcdStore>> open(const EtcdOptions& options,
                                                 std::stop_token stop = {});

  std::string describe() const override { return "etcd at " + client_->endpoints(); }
  Result<std::optional<std::string>> network_config() override;
  Result<LeaseView> list() override;
  Result<std::optional<Lease>> create(const LeaseKey& key, const LeaseAttributes& attributes,
                                      std::optional<std::chrono::seconds> ttl) override;
  Result<std::optional<Lease>> replace(const Lease& seen, const LeaseAttributes& attributes,
                                       std::optional<std::chrono::seconds> ttl) override;
  Result<std::optional<UnixSeconds>> expiry(const Lease& lease) override;
  Result<bool> remove(const Lease& seen) override;
  std::unique_ptr<LeaseWatch> watch(Changed changed) override;

 private:
  EtcdStore(std::unique_ptr<EtcdClient> client, const std::string& prefix, std::stop_token stop)
      : client_(std::move(client)), layout_(prefix), stop_(std::move(stop)) {}
  Result<std::optional<Lease>> write(const LeaseKey& key, const LeaseAttributes& attributes,
                                     std::int64_t seen, std::optional<std::chrono::seconds> ttl);

  std::unique_ptr<EtcdClient> client_;
  EtcdLayout layout_;
  std::stop_token stop_;
};

}  // namespace weft
