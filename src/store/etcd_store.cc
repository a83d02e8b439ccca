#include "store/etcd_store.h"

#include "store/etcd_watch.h"

namespace weft {
Result<std::unique_ptr<EtcdStore>> EtcdStore::open(const EtcdOptions& options,
                                                   std::stop_token stop) {
  ASSIGN_OR_RETURN(auto client, EtcdClient::open(options));
  return std::unique_ptr<EtcdStore>(
      new EtcdStore(std::move(client), options.prefix, std::move(stop)));
}

Result<std::optional<std::string>> EtcdStore::network_config() {
  ASSIGN_OR_RETURN(EtcdPage page, client_->range({.key = layout_.config()}, stop_));
  if (page.kvs.empty()) return std::nullopt;
  return std::move(page.kvs.front().value);
}

Result<LeaseView> EtcdStore::list() {
  ASSIGN_OR_RETURN(const EtcdLeases leases, read_etcd_leases(*client_, layout_, stop_));
  return make_view(leases.entries);
}

Result<std::optional<Lease>> EtcdStore::create(const LeaseKey& key,
                                               const LeaseAttributes& attributes,
                                               std::optional<std::chrono::seconds> ttl) {
  return write(key, attributes, 0, ttl);
}

Result<std::optional<Lease>> EtcdStore::replace(const Lease& seen,
                                                const LeaseAttributes& attributes,
                                                std::optional<std::chrono::seconds> ttl) {
  return write(seen.key, attributes, seen.version, ttl);
}

Result<std::optional<Lease>> EtcdStore::write(const LeaseKey& key,
                                              const LeaseAttributes& attributes, std::int64_t seen,
                                              std::optional<std::chrono::seconds> ttl) {
  EtcdClient::Grant grant;
  const UnixSeconds asked = unix_now();
  if (ttl) {
    ASSIGN_OR_RETURN(grant, client_->grant(*ttl, stop_));
  }
  const auto outcome = client_->change_if(
      {.key = layout_.subnet(key), .seen = seen, .value = attributes.to_json(), .lease = grant.id},
      stop_);
  // A change whose answer was lost is asked for again at the next endpoint and then finds
  // itself there: the fresh lease is the proof.
  const bool repeated =
      outcome && outcome->current && grant.id != 0 && outcome->current->lease == grant.id;
  const bool done = outcome && (outcome->done || repeated);
  if (!done && grant.id != 0) (void)client_->revoke(grant.id, stop_);
  if (!outcome) return Failure(outcome.error());
  if (!done) return std::nullopt;
  Lease lease{.key = key,
              .attributes = attributes,
              .reserved = !ttl,
              .expiry = std::nullopt,
              .version = repeated ? outcome->current->mod_revision : outcome->revision};
  if (ttl) lease.expiry = asked + grant.ttl;
  return lease;
}

Result<std::optional<UnixSeconds>> EtcdStore::expiry(const Lease& lease) {
  ASSIGN_OR_RETURN(const EtcdPage page, client_->range({.key = layout_.subnet(lease.key)}, stop_));
  if (page.kvs.empty() || page.kvs.front().mod_revision != lease.version) return std::nullopt;
  if (page.kvs.front().lease == 0) return std::nullopt;
  const UnixSeconds asked = unix_now();
  ASSIGN_OR_RETURN(const auto ttl, client_->time_to_live(page.kvs.front().lease, stop_));
  if (!ttl) return std::nullopt;
  return asked + *ttl;
}

Result<bool> EtcdStore::remove(const Lease& seen) {
  ASSIGN_OR_RETURN(const auto outcome, client_->change_if({.key = layout_.subnet(seen.key),
                                                           .seen = seen.version,
                                                           .value = std::nullopt,
                                                           .lease = 0},
                                                          stop_));
  return outcome.done || !outcome.current;
}

std::unique_ptr<LeaseWatch> EtcdStore::watch(Changed changed) {
  return std::make_unique<EtcdWatch>(*client_, layout_, std::move(changed));
}

}  // namespace weft
