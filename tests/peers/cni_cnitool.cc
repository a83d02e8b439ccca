#include "cni_cnitool.h"

#include <cstdlib>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"

namespace weft::test {
namespace {

constexpr const char* kAddresses =
    R"("ipam":{"type":"host-local","dataDir":"@/networks","ranges":[[{"subnet":"10.60.0.0/24"}],)"
    R"([{"subnet":"fd00:60::/64"}]],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]})";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::vector<std::string> link_names(kernel::Rtnetlink& rtnetlink) {
  std::vector<std::string> names;
  for (const auto& link : must(rtnetlink.links()))
    // A bridge stays for the next container.
    if (link.name != "br9") names.push_back(link.name);
  return names;
}

}  // namespace

void CnitoolTest::write_files() {
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
Outcome CnitoolTest::cnitool(const std::string& verb, const Container& container) {
  must(make_directories(folder_.path() + "/var/cni"));
  const char* ports = list().maps_ports ? R"({"portMappings":[{"hostPort":8080,"containerPort":80,)"
                                          R"("protocol":"tcp"}]})"
                                        : "{}";
  return must(
      run({.argv = {"unshare", "--mount", "sh", "-c", R"(mount --bind "$0" /var/lib && exec "$@")",
                    folder_.path() + "/var", cnitool_, verb, "test", container.path()},
           .environment = std::vector<std::string>{
               "NETCONFPATH=" + folder_.path() + "/net.d", "CNI_PATH=" + plugins_.folder().path(),
               std::string("CAP_ARGS=") + ports, std::string("PATH=") + std::getenv("PATH")}}));
}
void CnitoolTest::succeeds(const std::string& verb, const Container& container) {
  const Outcome outcome = cnitool(verb, container);
  EXPECT_EQ(outcome.exit_code, 0) << verb << ": " << outcome.output << outcome.errors;
}

namespace {

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

}  // namespace

std::string name_of_list(const testing::TestParamInfo<CnitoolTest::ParamType>& tested) {
  return std::string(std::get<0>(tested.param).name) + "_" +
         replaced(std::get<1>(tested.param), ".", "_");
}

}  // namespace weft::test
