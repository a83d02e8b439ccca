#include "overlay/data_plane.h"

#include "overlay/alloc_data_plane.h"
#include "overlay/extension_data_plane.h"
#include "overlay/host_gw_data_plane.h"
#include "overlay/udp/udp_data_plane.h"
#include "overlay/vxlan_data_plane.h"

namespace weft::overlay {
namespace {

struct Opener {
  const NetConf& conf;
  kernel::Rtnetlink& rtnetlink;

  Result<std::unique_ptr<DataPlane>> operator()(const VxlanBackend& backend) const {
    return VxlanDataPlane::open(conf, backend, rtnetlink);
  }
  Result<std::unique_ptr<DataPlane>> operator()(const HostGwBackend&) const {
    return std::make_unique<HostGwDataPlane>(conf);
  }
  Result<std::unique_ptr<DataPlane>> operator()(const UdpBackend& backend) const {
    return std::make_unique<udp::UdpDataPlane>(conf, backend);
  }
  Result<std::unique_ptr<DataPlane>> operator()(const AllocBackend&) const {
    return std::make_unique<AllocDataPlane>();
  }
  Result<std::unique_ptr<DataPlane>> operator()(const ExtensionBackend& backend) const {
    return ExtensionDataPlane::open(conf, backend);
  }
};

}  // namespace

Result<std::unique_ptr<DataPlane>> open_data_plane(const NetConf& conf,
                                                   kernel::Rtnetlink& rtnetlink) {
  return std::visit(Opener{conf, rtnetlink}, conf.backend);
}

}  // namespace weft::overlay
