#include <gtest/gtest.h>

#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::WeftPlugins;

constexpr const char* kConfig = R"({"cniVersion":"1.0.0","name":"lo","type":"loopback",
    "prevResult":{"cniVersion":"1.0.0"}})";

bool is_up(const Container& container) {
  return container.inside([](kernel::Rtnetlink& inside) { return must(inside.link("lo"))->up; });
}

TEST(CniLoopback, UpByAddCheckedDownByDel) {
  const WeftPlugins weft;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const auto call = [&](const char* command) {
      return weft.folder().call("loopback", command, container.port(), kConfig);
    };
    EXPECT_EQ(call("CHECK").message(), "loopback interface is down");
    ASSERT_TRUE(call("ADD").ok());
    EXPECT_TRUE(is_up(container));
    EXPECT_TRUE(call("CHECK").ok());
    EXPECT_TRUE(call("DEL").ok());
    EXPECT_FALSE(is_up(container));
  });
}

TEST(CniLoopback, AForeignAddressIsRefused) {
  const WeftPlugins weft;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    container.run_inside({"ip", "address", "add", "192.0.2.1/32", "dev", "lo"});
    const auto added = weft.folder().call("loopback", "ADD", container.port(), kConfig);
    EXPECT_NE(added.message().find("loopback interface found with non-loopback address"),
              std::string::npos)
        << added.output;
  });
}

}  // namespace
}  // namespace weft
