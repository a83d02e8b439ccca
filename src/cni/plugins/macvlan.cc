#include "cni/plugins/macvlan.h"

#include "cni/device_plugin.h"
#include "cni/plugins/macvlan_config.h"

namespace weft::cni {

const Plugin kMacvlan = device_plugin<plan_macvlan>("macvlan");

}  // namespace weft::cni
