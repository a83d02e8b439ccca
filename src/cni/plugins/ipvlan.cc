#include "cni/plugins/ipvlan.h"

#include "cni/device_plugin.h"
#include "cni/plugins/ipvlan_config.h"

namespace weft::cni {

const Plugin kIpvlan = device_plugin<plan_ipvlan>("ipvlan");

}  // namespace weft::cni
