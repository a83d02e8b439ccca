#include "cni/plugins/vlan.h"

#include "cni/device_plugin.h"
#include "cni/plugins/vlan_config.h"

namespace weft::cni {

const Plugin kVlan = device_plugin<plan_vlan>("vlan");

}  // namespace weft::cni
