// conntrack_settings.h: the kernel's settings of its table of connections that kube-proxy makes at
// its start.
//
// Source: k8s.io/kubernetes cmd/kube-proxy/app (conntrack.go, server_linux.go).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/sysctl.h"
#include "service/proxy_config.h"

namespace weft::service {

/// The settings of a node with so many processors. Pure. `buckets` is how many the table has: they
/// are never made fewer; nothing where that is not known.
Sysctls conntrack_settings(const ProxyConfig::Conntrack& wishes, unsigned processors,
                           std::optional<std::uint64_t> buckets);

/// Makes them in the calling thread's namespace. What cannot be made stays as it is and is told in
/// the log. Returns the same in sentences, for people who read no log.
std::vector<std::string> apply_conntrack_settings(const ProxyConfig::Conntrack& wishes);

}  // namespace weft::service
