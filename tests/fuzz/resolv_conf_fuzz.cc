// A node's resolv.conf, and the file of a pod made of it.
#include <cstdint>
#include <cstdlib>

#include "cluster/resolv_conf.h"

using namespace weft;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto host = parse_resolv_conf({reinterpret_cast<const char*>(data), size});
  if (!host) return 0;
  const NodeDns node{.cluster_dns = {IpAddress::v4(1)}, .cluster_domain = "c", .host = *host};
  for (const auto policy : {DnsPolicy::kClusterFirst, DnsPolicy::kDefault}) {
    const ResolvConf file = resolv_conf_of({.ns = "n", .policy = policy}, node).file;
    // A file of ours reads as it was meant, but for dots at the ends of domains.
    const auto again = parse_resolv_conf(print_resolv_conf(file));
    if (!again || again->servers != file.servers || again->options != file.options) std::abort();
    if (file.servers.size() > 3 || file.searches.size() > 32) std::abort();
  }
  return 0;
}
