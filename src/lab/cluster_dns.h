// cluster_dns.h: the DNS of a lab's cluster: `weftd coredns` in pods behind the Service
// kube-system/kube-dns, as kubeadm lays it out; another server on the outside host, which is asked
// for all other names; and everybody's resolv.conf. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "cluster/resolv_conf.h"
#include "lab/lab_file.h"
#include "lab/model.h"

namespace weft::lab {

/// The pods that the file's `dns` asks for, and what they serve. Their Service has the tenth
/// address of the first subnet of services, which are known already. Fails for an unknown node, and
/// for a pod's name that is given away.
Status add_cluster_dns(Lab& lab, const DnsFile& file);

/// The v1 Service of a lab that has such pods.
Result<Json> dns_service(const Lab& lab);

/// Whether a pod is one of the servers behind that Service.
bool is_dns_server(const Pod& pod);

/// As kubeadm's, which keeps the cluster's names out of the cache besides: weftd always does.
std::string cluster_corefile(const Lab& lab);
/// What the outside host answers: the file's names and nothing else.
std::string outside_corefile(const Lab& lab);

/// What a pod's file says and why. Its node's is that of the lab.
PodResolvConf resolv_conf_of(const Lab& lab, const Pod& pod);

}  // namespace weft::lab
