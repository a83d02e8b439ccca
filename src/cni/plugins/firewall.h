// firewall.h: the firewall plugin: lets a container's traffic through the host's firewall.
//
// Source: containernetworking/plugins, plugins/meta/firewall. Unlike it, a DEL needs no result of
// the ADD and takes away what either back end has made, CHECK changes nothing, and GC collects
// rules of iptables; firewalld keeps no owner that one could collect by.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kFirewall;

}  // namespace weft::cni
