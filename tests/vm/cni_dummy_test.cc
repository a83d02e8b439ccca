// What the dummy plugin has beyond the other plugins of one device: the cases of
// containernetworking/plugins, plugins/main/dummy/dummy_test.go.
#include "support/cni_fixture.h"

namespace weft {
namespace {

using test::Container;
using test::PluginReply;

class CniDummy : public test::CniFixture {};

TEST_F(CniDummy, FailsWithoutAnIpamConfiguration) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added = call("dummy", "ADD", container.port(), config("dummy", ""));
    EXPECT_EQ(added.message(), "dummy interface requires an IPAM configuration");
    EXPECT_FALSE(has_link(container, "eth0"));
    EXPECT_TRUE(call("dummy", "DEL", container.port(), config("dummy", "")).ok());
  });
}

TEST_F(CniDummy, TheDnsOfIpamIsKept) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added =
        call("dummy", "ADD", container.port(),
             config("dummy", R"(,"dns":{"domain":"b.example"},"ipam":{"type":"static",
                 "addresses":[{"address":"10.1.2.5/32"}],"dns":{"domain":"a.example"}})"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["dns"]["domain"], "a.example");
  });
}

}  // namespace
}  // namespace weft
