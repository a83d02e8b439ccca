// The dhcp plugin in a list under cnitool: a real server gives the addresses.
#include <unistd.h>

#include "cni_cnitool.h"
#include "cni_dhcp_site.h"

namespace weft::test {
namespace {

const CnitoolList kDhcp{
    "dhcp",
    R"({"type":"bridge","bridge":"br0","ipam":{"type":"dhcp","daemonSocketPath":"@/dhcp.sock"}})"};

class CnitoolDhcpTest : public CnitoolTest {};

TEST_P(CnitoolDhcpTest, AddsChecksAndDeletes) {
  at_site(Side::kWeft, Side::kWeft, [&](DhcpSite& site) {
    site.start_dnsmasq({"--dhcp-option=3,10.20.0.1"});
    write_files();
    ASSERT_EQ(::symlink(site.socket().c_str(), (folder_.path() + "/dhcp.sock").c_str()), 0);
    const Container container("unused");
    const Outcome added = cnitool("add", container);
    ASSERT_EQ(added.exit_code, 0) << added.output << added.errors;
    const std::string address = must(parse_json(added.output))["ips"][0]["address"];
    EXPECT_TRUE(address.starts_with("10.20.0.")) << address;
    EXPECT_NE(container.run_inside({"ip", "-o", "addr", "show", "dev", "eth0"}).find(address),
              std::string::npos);
    EXPECT_NE(container.run_inside({"ip", "route"}).find("default via 10.20.0.1 dev eth0"),
              std::string::npos);
    if (version() != "0.3.1") succeeds("check", container);
    if (version() == "1.1.0") succeeds("status", container);
    succeeds("del", container);
    succeeds("del", container);
    EXPECT_EQ(site.records(), 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(With, CnitoolDhcpTest,
                         testing::Combine(testing::Values(kDhcp), versions_with_lists()),
                         name_of_list);

}  // namespace
}  // namespace weft::test
