#include "cni/plugins/dummy.h"

#include "cni/device_plugin.h"
#include "cni/plugins/dummy_config.h"

namespace weft::cni {

const Plugin kDummy = device_plugin<plan_dummy>("dummy");

}  // namespace weft::cni
