// The plugins of one device whose kind this machine's kernel has for certain; the others are in
// tests/vm.
#include "support/cni_device_cases.h"

namespace weft::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Kinds, CniDevice,
                         testing::Values(DeviceCase{.plugin = "macvlan", .kind = "macvlan"},
                                         DeviceCase{
                                             .plugin = "tap", .kind = "tun", .has_master = false}),
                         [](const auto& tested) { return std::string(tested.param.plugin); });

}  // namespace
}  // namespace weft::test
