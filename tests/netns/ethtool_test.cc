#include "kernel/ethtool.h"

#include <gtest/gtest.h>

#include "fresh_netns.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

constexpr const char* kChecksum = "tx-checksum-ip-generic";

TEST(Ethtool, TransmitChecksumsOfAVethGoOffAndOn) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    must(rtnetlink.create({.name = "a", .kind = "veth", .peer = VethPeer{.name = "b"}}));
    const auto ethtool = must(Ethtool::open());
    EXPECT_TRUE(must(ethtool.offloads("a")).at(kChecksum));
    must(ethtool.set_offload("a", kChecksum, false));
    EXPECT_FALSE(must(ethtool.offloads("a")).at(kChecksum));
    must(ethtool.set_offload("a", kChecksum, false));
    must(ethtool.set_offload("a", kChecksum, true));
    EXPECT_TRUE(must(ethtool.offloads("a")).at(kChecksum));
  });
}

TEST(Ethtool, StaysInTheNamespaceWhereItWasOpened) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    must(rtnetlink.create({.name = "a", .kind = "veth", .peer = VethPeer{.name = "b"}}));
    const auto ethtool = must(Ethtool::open());
    const Netns other = must(Netns::create());
    const auto visit = must(NetnsVisit::enter(other));
    EXPECT_TRUE(must(ethtool.offloads("a")).at(kChecksum));
    EXPECT_EQ(must(Ethtool::open()).offloads("a").error().number, ENODEV);
  });
}

TEST(Ethtool, RefusalsNameDeviceAndFeature) {
  in_fresh_netns([](Rtnetlink&) {
    const auto ethtool = must(Ethtool::open());
    EXPECT_EQ(ethtool.offloads("no-such-device").error().number, ENODEV);
    EXPECT_EQ(ethtool.offloads("a-name-that-is-too-long").error().number, ENODEV);
    const Status unknown = ethtool.set_offload("lo", "tx-checksum-ip-genric", false);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().number, EINVAL);
    EXPECT_NE(unknown.error().text().find("did you mean tx-checksum-ip-generic?"),
              std::string::npos)
        << unknown.error().text();
    const Status fixed = ethtool.set_offload("lo", "loopback", false);
    ASSERT_FALSE(fixed);
    EXPECT_EQ(fixed.error().number, EPERM);
  });
}

}  // namespace
}  // namespace weft::kernel
