#include "cni/plugins/all.h"

#include <array>

#include "cni/plugins/bridge.h"
#include "cni/plugins/chain.h"
#include "cni/plugins/flannel.h"
#include "cni/plugins/host_local.h"
#include "cni/plugins/loopback.h"
#include "cni/plugins/static.h"

namespace weft::cni {

Plugins all_plugins() {
  static constexpr std::array kAll{
      &kBridge,     //
      &kFlannel,    //
      &kHostLocal,  //
      &kLoopback,   //
      &kStatic,     //
      &kChain,      //
  };
  return kAll;
}

}  // namespace weft::cni
