#include "cni/plugins/all.h"

#include <array>

#include "cni/plugins/bandwidth.h"
#include "cni/plugins/bridge.h"
#include "cni/plugins/chain.h"
#include "cni/plugins/dhcp.h"
#include "cni/plugins/dummy.h"
#include "cni/plugins/firewall.h"
#include "cni/plugins/flannel.h"
#include "cni/plugins/host_device.h"
#include "cni/plugins/host_local.h"
#include "cni/plugins/ipvlan.h"
#include "cni/plugins/loopback.h"
#include "cni/plugins/macvlan.h"
#include "cni/plugins/portmap.h"
#include "cni/plugins/ptp.h"
#include "cni/plugins/sbr.h"
#include "cni/plugins/static.h"
#include "cni/plugins/tap.h"
#include "cni/plugins/tuning.h"
#include "cni/plugins/vlan.h"
#include "cni/plugins/vrf.h"

namespace weft::cni {

Plugins all_plugins() {
  static constexpr std::array kAll{
      &kBandwidth,   //
      &kBridge,      //
      &kChain,       //
      &kDhcp,        //
      &kDummy,       //
      &kFirewall,    //
      &kFlannel,     //
      &kHostDevice,  //
      &kHostLocal,   //
      &kIpvlan,      //
      &kLoopback,    //
      &kMacvlan,     //
      &kPortmap,     //
      &kPtp,         //
      &kSbr,         //
      &kStatic,      //
      &kTap,         //
      &kTuning,      //
      &kVlan,        //
      &kVrf,         //
  };
  return kAll;
}

}  // namespace weft::cni
