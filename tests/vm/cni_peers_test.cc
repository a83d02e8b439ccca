// vlan, ipvlan, dummy and vrf beside the Go plugins and under cnitool.
#include "peers/cni_cnitool.h"
#include "peers/cni_twins.h"

namespace weft::test {
namespace {

void make_master(kernel::Rtnetlink& host) {
  must(host.create(
      {.name = "master0", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "far0"}}));
  must(host.change(must(host.link("far0"))->index, {.up = true}));
}

#define IPAM                                                                              \
  R"("ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}],)" \
  R"([{"subnet":"fd00:1::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}})"

const TwinCase kCases[] = {
    {"Vlan",
     R"({"cniVersion":"1.0.0","name":"n","type":"vlan","master":"master0","vlanId":7,)" IPAM, "",
     true, make_master},
    {"VlanMtu",
     R"({"cniVersion":"0.4.0","name":"n","type":"vlan","master":"master0","vlanId":8,"mtu":1400,)" IPAM,
     "", true, make_master},
    {"VlanIdTooBig",
     R"({"cniVersion":"1.0.0","name":"n","type":"vlan","master":"master0","vlanId":4095,)" IPAM, "",
     true, make_master},
    {"VlanNoMaster", R"({"cniVersion":"1.0.0","name":"n","type":"vlan","vlanId":7,)" IPAM},
    {"Ipvlan", R"({"cniVersion":"1.0.0","name":"n","type":"ipvlan","master":"master0",)" IPAM, "",
     true, make_master},
    {"IpvlanLayer3",
     R"({"cniVersion":"0.4.0","name":"n","type":"ipvlan","master":"master0","mode":"l3","mtu":1400,)" IPAM,
     "", true, make_master},
    {"IpvlanUnknownMode",
     R"({"cniVersion":"1.0.0","name":"n","type":"ipvlan","master":"master0","mode":"l4",)" IPAM, "",
     true, make_master},
    {"Dummy", R"({"cniVersion":"1.0.0","name":"n","type":"dummy",)" IPAM, "", true, nullptr, true},
    {"DummyWithoutIpam", R"({"cniVersion":"1.0.0","name":"n","type":"dummy"})", "", true, nullptr,
     true},
};

INSTANTIATE_TEST_SUITE_P(Devices, SameAsGo, testing::ValuesIn(kCases), name_of_case);
INSTANTIATE_TEST_SUITE_P(Devices, AcrossTheSides, testing::ValuesIn(kCases), name_of_case);

const CnitoolList kLists[] = {
    {"vlan", R"({"type":"vlan","master":"up0","vlanId":7,ADDRESSES})"},
    {"ipvlan", R"({"type":"ipvlan","master":"up0",ADDRESSES})"},
    {"dummy", R"({"type":"dummy",ADDRESSES})"},
    {"vrf", R"({"type":"ptp",ADDRESSES},{"type":"vrf","vrfname":"blue"})"},
};

INSTANTIATE_CNITOOL_TESTS(kLists);

}  // namespace
}  // namespace weft::test
