// forwarding_store.h: a store that hands everything on to another one: tests override the call
// that shall go wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "store/lease_store.h"

namespace weft::test {

class ForwardingStore : public LeaseStore {
 public:
  explicit ForwardingStore(LeaseStore& store) : store_(store) {}

  Result<std::optional<Lease>> create(const LeaseKey& key, const LeaseAttributes& attributes,
                                      std::optional<std::chrono::seconds> ttl) override {
    return store_.create(key, attributes, ttl);
  }
  Result<LeaseView> list() override { return store_.list(); }
  Result<std::optional<Lease>> replace(const Lease& lease, const LeaseAttributes& attributes,
                                       std::optional<std::chrono::seconds> ttl) override {
    return store_.replace(lease, attributes, ttl);
  }
  Result<bool> remove(const Lease& lease) override { return store_.remove(lease); }
  Result<std::optional<UnixSeconds>> expiry(const Lease& lease) override {
    return store_.expiry(lease);
  }
  std::string describe() const override { return store_.describe(); }
  Result<std::optional<std::string>> network_config() override { return store_.network_config(); }
  std::string config_place() const override { return store_.config_place(); }
  std::unique_ptr<LeaseWatch> watch(Changed changed) override {
    return store_.watch(std::move(changed));
  }

 private:
  LeaseStore& store_;
};

}  // namespace weft::test
