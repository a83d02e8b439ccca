#include "lab/store.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/files.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/node_space.h"
#include "store/directory_store.h"
#include "store/etcd_client.h"
#include "store/etcd_store.h"

namespace weft::lab {
namespace {

const char* const kEtcd = "/usr/bin/etcd";
const char* const kEtcdPort = ":2379";
const char* const kPrefix = "/coreos.com/network";
constexpr std::chrono::milliseconds kPause(20);
constexpr std::chrono::seconds kPatience(15);

std::string store_folder(const Lab& lab) {
  return state_folder(lab.name) + "/store";
}
std::string etcd_log(const Lab& lab) {
  return state_folder(lab.name) + "/etcd.log";
}

std::string etcd_endpoint(const Lab& lab) {
  const IpAddress& address = lab.outside.front();
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return "http://" + host + kEtcdPort;
}

EtcdOptions etcd_options(const Lab& lab) {
  return {.endpoints = {etcd_endpoint(lab)}, .prefix = kPrefix};
}

Status start_etcd(const Lab& lab) {
  if (::access(kEtcd, X_OK) != 0)
    return fail_errno(std::string("looking for ") + kEtcd, errno,
                      "install it with: apt-get install etcd-server");
  const std::string endpoint = etcd_endpoint(lab);
  return in_netns(lab.name, kOutside, [&]() -> Status {
    ASSIGN_OR_RETURN(
        const pid_t pid,
        start_daemon(
            {.argv = {kEtcd, "--name=" + lab.name, "--data-dir=" + store_folder(lab),
                      "--listen-client-urls=" + endpoint, "--advertise-client-urls=" + endpoint,
                      "--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn"},
             .log = etcd_log(lab)}));
    static_cast<void>(pid);  // found again by its namespace
    return {};
  });
}

// etcd takes a moment before it answers its first call.
Status write_etcd_config(const Lab& lab) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  ASSIGN_OR_RETURN(const auto client, EtcdClient::open(etcd_options(lab)));
  for (;;) {
    const auto outcome =
        client->change_if({.key = std::string(kPrefix) + "/config", .value = lab.overlay});
    if (outcome) return {};
    if (std::chrono::steady_clock::now() > deadline)
      return because("etcd does not answer: " + last_line(etcd_log(lab)), outcome.error());
    std::this_thread::sleep_for(kPause);
  }
}

// Calls `use` with the store, from where it can be reached.
Status with_store(const Lab& lab, const std::function<Status(LeaseStore&)>& use) {
  if (lab.store == StoreKind::kDirectory) {
    ASSIGN_OR_RETURN(const auto store, DirectoryStore::open(store_folder(lab)));
    return use(*store);
  }
  return in_netns(lab.name, kOutside, [&]() -> Status {
    ASSIGN_OR_RETURN(const auto store, EtcdStore::open(etcd_options(lab)));
    return use(*store);
  });
}

LeaseAttributes attributes_of(const Node& node) {
  LeaseAttributes attributes;
  for (const auto& address : node.addresses)
    (address.address.is_v4() ? attributes.public_ipv4 : attributes.public_ipv6) = address.address;
  return attributes;
}

bool belongs_to(const Lease& lease, const Node& node) {
  const LeaseAttributes own = attributes_of(node);
  const auto same = [](const auto& a, const auto& b) { return a && a == b; };
  return same(own.public_ipv4, lease.attributes.public_ipv4) ||
         same(own.public_ipv6, lease.attributes.public_ipv6);
}

}  // namespace

std::vector<std::string> store_flags(const Lab& lab) {
  if (lab.store == StoreKind::kEtcd)
    return {"--etcd-endpoints=" + etcd_endpoint(lab), std::string("--etcd-prefix=") + kPrefix};
  return {"--store=directory", "--store-dir=" + store_folder(lab)};
}

Status set_up_store(const Lab& lab) {
  RETURN_IF_ERROR(make_directories(store_folder(lab), 0700));
  if (lab.store == StoreKind::kDirectory)
    return write_file_atomically(store_folder(lab) + "/config", lab.overlay + "\n", 0644);
  RETURN_IF_ERROR(start_etcd(lab));
  return in_netns(lab.name, kOutside, [&] { return write_etcd_config(lab); });
}

Status seed_lease(const Lab& lab, const Node& node) {
  if (!node.subnet) return {};
  LeaseKey key;
  key.subnet(node.subnet->family()) = *node.subnet;
  return with_store(lab, [&](LeaseStore& store) -> Status {
    ASSIGN_OR_RETURN(const auto lease, store.create(key, attributes_of(node), std::nullopt));
    if (!lease) return fail("the subnet " + key.describe() + " is another node's");
    return {};
  });
}

Status remove_leases(const Lab& lab, const Node& node) {
  return with_store(lab, [&](LeaseStore& store) -> Status {
    ASSIGN_OR_RETURN(const LeaseView view, store.list());
    for (const auto& [key, lease] : view.leases) {
      if (!belongs_to(lease, node)) continue;
      ASSIGN_OR_RETURN(const bool removed, store.remove(lease));
      if (!removed) return fail("the lease " + key.describe() + " changed meanwhile");
    }
    return {};
  });
}

}  // namespace weft::lab
