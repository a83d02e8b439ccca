// ptp, macvlan, tap, host-device and static beside the Go plugins.
#include "cni_twins.h"

namespace weft::test {
namespace {

void make_master(kernel::Rtnetlink& host) {
  must(host.create({.name = "master0",
                    .kind = "veth",
                    .mac = MacAddress::parse("02:00:00:00:00:42"),
                    .up = true,
                    .peer = kernel::VethPeer{.name = "far0"}}));
  must(host.change(must(host.link("far0"))->index, {.up = true}));
  must(host.add({.key = {.link = must(host.link("master0"))->index,
                         .address = InterfaceAddress::parse("192.0.2.2/24").value()}}));
}

void make_default_route(kernel::Rtnetlink& host) {
  make_master(host);
  must(host.put({.key = main_route(Prefix::parse("0.0.0.0/0").value()),
                 .hops = {{.gateway = IpAddress::parse("192.0.2.1"),
                           .link = must(host.link("master0"))->index}}}));
}

#define IPAM                                                                               \
  R"("ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]],)" \
  R"("routes":[{"dst":"0.0.0.0/0"}]}})"
#define DUAL                                                                              \
  R"("ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}],)" \
  R"([{"subnet":"fd00:1::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}})"
#define STATIC(version) R"({"cniVersion":")" version R"(","name":"n","type":"static",)"

const TwinCase kCases[] = {
    {"Ptp", R"({"cniVersion":"1.0.0","name":"n","type":"ptp",)" IPAM},
    {"PtpDualStack", R"({"cniVersion":"1.0.0","name":"n","type":"ptp","mtu":1400,)" DUAL},
    {"PtpOldVersion", R"({"cniVersion":"0.2.0","name":"n","type":"ptp",)" IPAM},
    {"PtpDns",
     R"({"cniVersion":"1.0.0","name":"n","type":"ptp","dns":{"search":["a.example"]},)" IPAM},
    {"PtpWithoutIpam", R"({"cniVersion":"1.0.0","name":"n","type":"ptp"})"},
    {"PtpNewest", R"({"cniVersion":"1.0.0","name":"n","type":"ptp",)" DUAL, "", true, nullptr,
     true},
    {"Macvlan", R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0",)" IPAM, "",
     true, make_master},
    {"MacvlanDualStack",
     R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0","mode":"vepa",
         "mtu":1400,)" DUAL,
     "", true, make_master},
    {"MacvlanLayer2AndMac",
     R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0",
         "runtimeConfig":{"mac":"02:11:22:33:44:55"}})",
     "MAC=02:00:00:00:00:01;IgnoreUnknown=1", true, make_master},
    {"MacvlanPassthru",
     R"({"cniVersion":"0.4.0","name":"n","type":"macvlan","master":"master0","mode":"passthru"})",
     "", true, make_master},
    {"MacvlanDefaultRoute", R"({"cniVersion":"0.3.1","name":"n","type":"macvlan",)" IPAM, "", true,
     make_default_route},
    {"MacvlanNoMaster", R"({"cniVersion":"1.0.0","name":"n","type":"macvlan",)" IPAM},
    {"MacvlanMtuTooBig",
     R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0","mtu":1501,)" IPAM, "",
     true, make_master},
    {"MacvlanUnknownMode",
     R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0","mode":"tree"})", "",
     true, make_master},
    {"MacvlanNewest",
     R"({"cniVersion":"1.0.0","name":"n","type":"macvlan","master":"master0","bcqueuelen":77,)" IPAM,
     "", true, make_master, true},
    {"HostDevice", R"({"cniVersion":"1.0.0","name":"n","type":"host-device","device":"master0"})",
     "", true, make_master, true},
    {"HostDeviceByMac",
     R"({"cniVersion":"1.0.0","name":"n","type":"host-device","hwaddr":"02:00:00:00:00:42",)" IPAM,
     "", true, make_master, true},
    {"HostDeviceDualStack",
     R"({"cniVersion":"0.4.0","name":"n","type":"host-device","device":"master0",)" DUAL, "", true,
     make_master, true},
    {"HostDeviceUnspecified", R"({"cniVersion":"1.0.0","name":"n","type":"host-device"})"},
    {"HostDeviceMissing", R"({"cniVersion":"1.0.0","name":"n","type":"host-device","device":"x"})"},
    {"HostDeviceNoKernelPath",
     R"({"cniVersion":"1.0.0","name":"n","type":"host-device","kernelpath":"/etc"})"},
    // The one kind of tap that the Go plugin makes as it should: elsewhere it loses MTU and MAC
    // address, or runs `ip`, which leaves vnet_hdr off, or puts packet information into the frames.
    {"Tap",
     R"({"cniVersion":"1.0.0","name":"n","type":"tap","owner":7,"group":7,"multiQueue":true,)" IPAM,
     "", true, nullptr, true},
    {"Static", STATIC("1.0.0") R"("ipam":{"type":"static","addresses":[{"address":"10.1.2.5/24",
         "gateway":"10.1.2.1"},{"address":"fd00::5/64"}],"routes":[{"dst":"0.0.0.0/0"},
         {"dst":"10.0.0.0/8","gw":"10.1.2.7"}],"dns":{"nameservers":["10.0.0.10"]}}})"},
    {"StaticArguments", STATIC("0.4.0") R"("ipam":{"type":"static"}})",
     "IP=10.1.2.5/24,10.1.3.5/24;GATEWAY=10.1.3.1"},
    {"StaticOldVersion",
     STATIC("0.2.0") R"("ipam":{"type":"static"},"args":{"cni":{"ips":["10.1.2.5/24"]}}})"},
    {"StaticTwoOfAFamilyInAnOldVersion", STATIC("0.2.0") R"("ipam":{"type":"static"},
         "runtimeConfig":{"ips":["10.1.2.5/24","10.1.3.5/24"]}})"},
    {"StaticNoIpam", STATIC("1.0.0") R"("args":{"cni":{"ips":["10.1.2.5/24"]}}})"},
    {"StaticNoCidr",
     STATIC("1.0.0") R"("ipam":{"type":"static","addresses":[{"address":"10.1.2.5"}]}})"},
};

INSTANTIATE_TEST_SUITE_P(Links, SameAsGo, testing::ValuesIn(kCases), name_of_case);
INSTANTIATE_TEST_SUITE_P(Links, AcrossTheSides, testing::ValuesIn(kCases), name_of_case);

}  // namespace
}  // namespace weft::test
