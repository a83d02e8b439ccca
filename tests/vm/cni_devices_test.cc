// The plugins of one device whose kind not every kernel has.
#include "support/cni_device_cases.h"

namespace weft::test {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Kinds, CniDevice,
    testing::Values(DeviceCase{.plugin = "dummy", .kind = "dummy", .has_master = false},
                    DeviceCase{.plugin = "ipvlan", .kind = "ipvlan"},
                    DeviceCase{.plugin = "vlan", .kind = "vlan", .members = R"(,"vlanId":7)"},
                    // A kernel that looks for a new name on the host, too.
                    DeviceCase{.plugin = "macvlan", .kind = "macvlan"}),
    [](const auto& tested) { return std::string(tested.param.plugin); });

}  // namespace
}  // namespace weft::test
