#include "store/etcd_leases.h"

#include "base/text.h"

namespace weft {
namespace {

constexpr std::int64_t kPage = 500;

std::string clean_path(const std::string& path) {
  std::vector<std::string> kept;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      kept.push_back(std::move(part));
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string clean;
  for (const auto& part : kept) clean += "/" + part;
  return path.starts_with('/') || clean.empty() ? clean : clean.substr(1);
}

Result<EtcdLeases> read_pages(EtcdClient& client, const EtcdLayout& layout,
                              const std::stop_token& stop) {
  EtcdLeases leases;
  EtcdClient::Range range = layout.all_subnets();
  range.limit = kPage;
  for (;;) {
    ASSIGN_OR_RETURN(const EtcdPage page, client.range(range, stop));
    if (range.revision == 0) leases.revision = page.revision;
    for (const auto& kv : page.kvs) {
      const auto name = layout.name_of(kv.key);
      // Also the guard against a server that repeats itself for ever.
      if (!name || kv.key < range.key)
        return fail("etcd's answer: the key " + kv.key.substr(0, 200) + " was not asked for");
      leases.entries.insert_or_assign(*name, parse_etcd_lease(*name, kv));
      range.key = kv.key + '\0';
    }
    if (!page.more) return leases;
    if (page.kvs.empty()) return fail("etcd's answer: an empty page that is not the last");
    range.revision = leases.revision;
  }
}

}  // namespace

EtcdLayout::EtcdLayout(const std::string& prefix) : prefix_(clean_path(prefix)) {}

// The end is the prefix with its last byte counted up: '/' becomes '0'.
EtcdClient::Range EtcdLayout::all_subnets() const {
  return {.key = subnets(), .end = prefix_ + "/subnets0", .limit = 0, .revision = 0};
}

std::optional<std::string> EtcdLayout::name_of(const std::string& key) const {
  const std::string folder = subnets();
  if (!key.starts_with(folder)) return std::nullopt;
  return key.substr(folder.size());
}

LeaseEntry parse_etcd_lease(const std::string& name, const EtcdKeyValue& kv) {
  const auto key = parse_lease_name(name);
  if (!key) return BrokenLease{name, key.error().text()};
  auto attributes = LeaseAttributes::parse(kv.value);
  if (!attributes) return BrokenLease{name, attributes.error().text()};
  return Lease{.key = *key,
               .attributes = *std::move(attributes),
               .reserved = kv.lease == 0,
               .expiry = std::nullopt,
               .version = kv.mod_revision};
}

// The pinned revision may be compacted away between two pages; then all is read anew.
Result<EtcdLeases> read_etcd_leases(EtcdClient& client, const EtcdLayout& layout,
                                    const std::stop_token& stop) {
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    auto leases = read_pages(client, layout, stop);
    if (leases || leases.error().number != ESTALE || i == kTries) return leases;
  }
}

}  // namespace weft
