// The udp backend beside flannel's own: one node runs flanneld, the other weftd, and each takes
// the other for one of its kind.
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cluster/subnet_env.h"
#include "etcd_server.h"
#include "support/daemon.h"
#include "support/go_peers.h"
#include "support/traffic.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::must;
using test::Node;
using test::Pod;

constexpr std::size_t kMegabyte = 1 << 20;

const std::vector<std::string>& flanneld() {
  static const std::vector<std::string> kArgv{test::go_peer("flanneld")};
  return kArgv;
}
const std::vector<std::string>& weftd() {
  static const std::vector<std::string> kArgv{WEFTD, "flanneld"};
  return kArgv;
}

// A node, its pod, and whatever program is flanneld there.
struct Member {
  std::unique_ptr<Node> node;
  std::unique_ptr<test::Daemon> daemon = {};
  std::unique_ptr<Pod> pod = {};

  Prefix subnet() const {
    return must(SubnetEnv::parse(must(read_file(node->subnet_file())))).subnets.at(Family::kIpv4);
  }
};

class BesideFlannel : public testing::Test {
 protected:
  BesideFlannel() {
    const auto visit = must(kernel::NetnsVisit::enter(segment_.open_hub("192.0.2.254/24")));
    etcd_ = std::make_unique<test::EtcdServer>(test::EtcdServer::Tls::kNone,
                                               std::vector<std::string>{}, "0.0.0.0");
    etcd_->put("/coreos.com/network/config",
               R"({"Network":"10.244.0.0/16","Backend":{"Type":"udp"}})");
  }

  // Starts a program as flanneld of a node, and waits until it has a subnet.
  void start(Member& member, std::vector<std::string> argv) {
    argv.push_back("--etcd-endpoints=http://192.0.2.254:" + std::to_string(etcd_->port()));
    argv.push_back("--iface=eth0");
    argv.push_back("--subnet-file=" + member.node->subnet_file());
    must(remove_file(member.node->subnet_file()));
    member.daemon.reset();
    member.daemon = member.node->in(
        [&] { return std::make_unique<test::Daemon>(argv, member.node->subnet_file() + ".log"); });
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(member.node->subnet_file()); },
                           std::chrono::seconds(30)))
        << member.daemon->said();
  }
  Member add(int number, const std::vector<std::string>& argv) {
    Member member{.node = segment_.add_node({"192.0.2." + std::to_string(number) + "/24"})};
    start(member, argv);
    member.pod = test::add_pod(*member.node, member.subnet(), 1472);
    return member;
  }
  static bool connected(const Member& one, const Member& other) {
    using std::chrono::milliseconds;
    const auto reaches = [](const Pod& from, const Pod& to) {
      return eventually([&] { return test::datagram_arrives(from, to, 1, milliseconds(200)); });
    };
    return reaches(*one.pod, *other.pod) && reaches(*other.pod, *one.pod);
  }

  test::Segment segment_;
  std::unique_ptr<test::EtcdServer> etcd_;
};

TEST_F(BesideFlannel, EachCarriesTheOthersPackets) {
  const Member theirs = add(1, flanneld());
  const Member ours = add(2, weftd());
  ASSERT_TRUE(connected(theirs, ours));
  EXPECT_TRUE(test::streams(*theirs.pod, *ours.pod, 8 * kMegabyte));
  EXPECT_TRUE(test::streams(*ours.pod, *theirs.pod, 8 * kMegabyte));
  for (const std::size_t size : {0, 1, 1443, 1444, 1445, 9000, 65507}) {
    EXPECT_TRUE(test::datagram_arrives(*theirs.pod, *ours.pod, size)) << size;
    EXPECT_TRUE(test::datagram_arrives(*ours.pod, *theirs.pod, size)) << size;
  }
}

TEST_F(BesideFlannel, EitherMayStartAgain) {
  Member theirs = add(1, flanneld());
  Member ours = add(2, weftd());
  ASSERT_TRUE(connected(theirs, ours));
  const Prefix before = ours.subnet();
  ours.daemon->end(SIGKILL);
  start(ours, weftd());
  EXPECT_EQ(ours.subnet(), before);
  EXPECT_TRUE(connected(theirs, ours));
  theirs.daemon->end(SIGTERM);
  start(theirs, flanneld());
  EXPECT_TRUE(connected(theirs, ours));
  EXPECT_TRUE(test::streams(*ours.pod, *theirs.pod, kMegabyte));
}

// What weft leaves behind must not be in flannel's way, and the other way round.
TEST_F(BesideFlannel, ANodeMayChangeOverAndBack) {
  Member other = add(1, weftd());
  Member node = add(2, flanneld());
  ASSERT_TRUE(connected(other, node));
  const Prefix subnet = node.subnet();
  node.daemon->end(SIGTERM);
  start(node, weftd());
  EXPECT_EQ(node.subnet(), subnet);
  EXPECT_TRUE(connected(other, node));
  EXPECT_TRUE(test::streams(*other.pod, *node.pod, kMegabyte));
  node.daemon->end(SIGTERM);
  start(node, flanneld());
  EXPECT_EQ(node.subnet(), subnet);
  EXPECT_TRUE(connected(other, node));
  node.daemon->end(SIGTERM);
  start(node, weftd());
  EXPECT_TRUE(connected(other, node));
  EXPECT_TRUE(test::streams(*node.pod, *other.pod, kMegabyte));
}

}  // namespace
}  // namespace weft::overlay
