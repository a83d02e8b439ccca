// The lists that every kernel can carry. dhcp has its server, see cni_cnitool_dhcp_test.cc;
// ipvlan, vlan, vrf and dummy have their kernel in tests/vm.
#include "cni_cnitool.h"

namespace weft::test {
namespace {

// What a chained plugin is put behind.
#define PTP R"({"type":"ptp","ipMasq":true,ADDRESSES})"

const CnitoolList kLists[] = {
    {"bridge", R"({"type":"bridge","bridge":"br9","isGateway":true,"ipMasq":true,ADDRESSES})"},
    {"flannel",
     R"({"type":"flannel","subnetFile":"@/subnet.env","dataDir":"@/flannel",)"
     R"("ipam":{"dataDir":"@/networks"},"delegate":{"bridge":"br9","isDefaultGateway":true}})"},
    {"ptp", PTP},
    {"macvlan", R"({"type":"macvlan","master":"up0",ADDRESSES})"},
    {"host_device", R"({"type":"host-device","device":"spare",ADDRESSES})"},
    {"tap", R"({"type":"tap",ADDRESSES})"},
    {"static_addresses",
     R"({"type":"macvlan","master":"up0","ipam":{"type":"static","addresses":)"
     R"([{"address":"10.61.0.5/24","gateway":"10.61.0.1"},{"address":"fd00:61::5/64"}]}})"},
    {"portmap", PTP R"(,{"type":"portmap","capabilities":{"portMappings":true}})", true},
    {"bandwidth", PTP R"(,{"type":"bandwidth","ingressRate":8000000,"ingressBurst":8000000,)"
                      R"("egressRate":4000000,"egressBurst":4000000})"},
    {"firewall", PTP R"(,{"type":"firewall","backend":"iptables"})", false, true},
    {"tuning", PTP R"(,{"type":"tuning","dataDir":"@/tuning","mtu":1400,)"
                   R"("sysctl":{"net.ipv4.conf.IFNAME.arp_filter":"1"}})"},
    {"sbr", PTP R"(,{"type":"sbr"})"},
    {"weft_chain",
     R"({"type":"weft-chain","capabilities":{"portMappings":true},"plugins":[)" PTP
     R"(,{"type":"portmap","capabilities":{"portMappings":true}},{"type":"firewall"},)"
     R"({"type":"tuning","dataDir":"@/tuning"}]})",
     true, true},
};
#undef PTP

INSTANTIATE_CNITOOL_TESTS(kLists);

}  // namespace
}  // namespace weft::test
