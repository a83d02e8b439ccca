// cnitool, the specification's own runtime (libcni), with every plugin, in every version of the
// specification that has lists. dhcp has its server, and ipvlan, vlan, vrf and dummy their kernel
// elsewhere.
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "support/cni_container.h"
#include "support/go_peers.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

using test::Container;
using test::in_fresh_netns;
using test::must;

struct List {
  const char* name;
  const char* plugins;  ///< the members; "@" stands for the test's folder
  bool maps_ports = false;
  bool from_0_4_0 = false;  ///< has the firewall plugin, which refuses older versions

  friend void PrintTo(const List& list, std::ostream* to) { *to << list.name; }
};

constexpr const char* kAddresses =
    R"("ipam":{"type":"host-local","dataDir":"@/networks","ranges":[[{"subnet":"10.60.0.0/24"}],)"
    R"([{"subnet":"fd00:60::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]})";

// What a chained plugin is put behind.
#define PTP R"({"type":"ptp","ipMasq":true,ADDRESSES})"

const List kLists[] = {
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

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

class CnitoolTest : public testing::TestWithParam<std::tuple<List, const char*>> {
 protected:
  const List& list() const { return std::get<0>(GetParam()); }
  std::string version() const { return std::get<1>(GetParam()); }

  void write_files() {
    std::string plugins = replaced(list().plugins, "ADDRESSES", kAddresses);
    must(make_directories(folder_.path() + "/net.d"));
    must(write_file_atomically(folder_.path() + "/net.d/10-test.conflist",
                               R"({"cniVersion":")" + version() + R"(","name":"test","plugins":[)" +
                                   replaced(std::move(plugins), "@", folder_.path()) + "]}",
                               0644));
    must(write_file_atomically(folder_.path() + "/subnet.env",
                               "FLANNEL_NETWORK=10.60.0.0/16\nFLANNEL_SUBNET=10.60.1.1/24\n"
                               "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
                               0644));
  }

  // cnitool keeps its results in /var/lib/cni, which is the test's own here.
  Outcome cnitool(const std::string& verb, const Container& container) {
    must(make_directories(folder_.path() + "/var/cni"));
    const char* ports = list().maps_ports
                            ? R"({"portMappings":[{"hostPort":8080,"containerPort":80,)"
                              R"("protocol":"tcp"}]})"
                            : "{}";
    return must(run(
        {.argv = {"unshare", "--mount", "sh", "-c", R"(mount --bind "$0" /var/lib && exec "$@")",
                  folder_.path() + "/var", cnitool_, verb, "test", container.path()},
         .environment = std::vector<std::string>{
             "NETCONFPATH=" + folder_.path() + "/net.d", "CNI_PATH=" + plugins_.folder().path(),
             std::string("CAP_ARGS=") + ports, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}));
  }
  void succeeds(const std::string& verb, const Container& container) {
    const Outcome outcome = cnitool(verb, container);
    EXPECT_EQ(outcome.exit_code, 0) << verb << ": " << outcome.output << outcome.errors;
  }

  static std::vector<std::string> link_names(kernel::Rtnetlink& rtnetlink) {
    std::vector<std::string> names;
    for (const auto& link : must(rtnetlink.links()))
      // A bridge stays for the next container.
      if (link.name != "br9") names.push_back(link.name);
    return names;
  }

  const std::string cnitool_ = test::go_peer("cnitool");
  test::TempDir folder_;
  test::WeftPlugins plugins_;
};

TEST_P(CnitoolTest, AddsChecksAndDeletes) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    must(run_or_fail(
        {.argv = {"ip", "link", "add", "up0", "up", "type", "veth", "peer", "name", "spare"}}));
    write_files();
    const auto before = link_names(host);
    const Container container("unused");
    const Outcome added = cnitool("add", container);
    if (list().from_0_4_0 && version() == "0.3.1") {
      EXPECT_NE(added.errors.find("incompatible CNI versions"), std::string::npos) << added.errors;
      return;
    }
    ASSERT_EQ(added.exit_code, 0) << added.output << added.errors;
    const Json result = must(parse_json(added.output));
    EXPECT_EQ(result["cniVersion"], version());
    ASSERT_FALSE(result["ips"].empty());
    const std::string address = result["ips"][0]["address"];
    EXPECT_NE(
        container.run_inside({"ip", "-o", "addr", "show", "dev", "eth0"}).find(" " + address + " "),
        std::string::npos);
    if (version() != "0.3.1") succeeds("check", container);
    if (version() == "1.1.0") succeeds("status", container);
    succeeds("del", container);
    succeeds("del", container);
    EXPECT_EQ(link_names(host), before);
    for (const auto& name :
         list_directory(folder_.path() + "/networks/test").value_or(std::vector<std::string>()))
      EXPECT_FALSE(IpAddress::parse(name)) << name << " is still held";
  });
}

INSTANTIATE_TEST_SUITE_P(With, CnitoolTest,
                         testing::Combine(testing::ValuesIn(kLists),
                                          testing::Values("0.3.1", "0.4.0", "1.0.0", "1.1.0")),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param).name) + "_" +
                                  replaced(std::get<1>(of.param), ".", "_");
                         });

}  // namespace
}  // namespace weft
